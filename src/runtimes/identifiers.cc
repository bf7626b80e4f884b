#include "runtimes/identifiers.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace lambent::runtimes {
namespace {

// What is not a version of the language that Lambent can tell from others (Python 2.7, Node.js 0.10) has generation 0.
constexpr Identifier kIdentifiers[] = {
    {"python2.7", Family::python, 0, "2021-07-15", "2021-07-15", "2022-05-30"},
    {"python3.6", Family::python, 6, "2022-07-18", "2022-07-18", "2022-08-29"},
    {"python3.7", Family::python, 7, "2023-12-04", "2024-01-09", "2027-03-03"},
    {"python3.8", Family::python, 8, "2024-10-14", "2027-02-01", "2027-03-03"},
    {"python3.9", Family::python, 9, "2025-12-15", "2027-02-01", "2027-03-03"},
    {"python3.10", Family::python, 10, "2026-10-31", "2027-02-01", "2027-03-03"},
    {"python3.11", Family::python, 11, "2027-06-30", "2027-07-31", "2027-08-31"},
    {"python3.12", Family::python, 12, "2028-10-31", "2028-11-30", "2029-01-10"},
    {"python3.13", Family::python, 13, "2029-06-30", "2029-07-31", "2029-08-31"},
    {"python3.14", Family::python, 14, "2029-06-30", "2029-07-31", "2029-08-31"},
    {"python3.15", Family::python, 15},
    {"nodejs", Family::nodejs, 0, "2016-08-30", "2016-09-30", "2016-10-31"},
    {"nodejs4.3", Family::nodejs, 4, "2020-03-05", "2020-02-03", "2020-03-05"},
    {"nodejs4.3-edge", Family::nodejs, 4, "2020-03-05", "2019-03-31", "2019-04-30"},
    {"nodejs6.10", Family::nodejs, 6, "2019-08-12", "2019-07-12", "2019-08-12"},
    {"nodejs8.10", Family::nodejs, 8, "2020-03-06", "2020-02-04", "2020-03-06"},
    {"nodejs10.x", Family::nodejs, 10, "2021-07-30", "2021-07-30", "2022-02-14"},
    {"nodejs12.x", Family::nodejs, 12, "2023-03-31", "2023-03-31", "2023-04-30"},
    {"nodejs14.x", Family::nodejs, 14, "2023-12-04", "2024-01-09", "2027-03-03"},
    {"nodejs16.x", Family::nodejs, 16, "2024-06-12", "2027-02-01", "2027-03-03"},
    {"nodejs18.x", Family::nodejs, 18, "2025-09-01", "2027-02-01", "2027-03-03"},
    {"nodejs20.x", Family::nodejs, 20, "2026-04-30", "2027-02-01", "2027-03-03"},
    {"nodejs22.x", Family::nodejs, 22, "2027-04-30", "2027-06-01", "2027-07-01"},
    {"nodejs24.x", Family::nodejs, 24, "2028-04-30", "2028-06-01", "2028-07-01"},
    {"nodejs26.x", Family::nodejs, 26},
    {"ruby2.5", Family::ruby, 25, "2021-07-30", "2021-07-30", "2022-03-31"},
    {"ruby2.7", Family::ruby, 27, "2023-12-07", "2024-01-09", "2027-03-03"},
    {"ruby3.2", Family::ruby, 32, "2026-03-31", "2027-02-01", "2027-03-03"},
    {"ruby3.3", Family::ruby, 33, "2027-03-31", "2027-04-30", "2027-05-31"},
    {"ruby3.4", Family::ruby, 34, "2028-03-31", "2028-04-30", "2028-05-31"},
    {"ruby4.0", Family::ruby, 40, "2029-03-31", "2029-04-30", "2029-05-31"},
    {"java8", Family::java, 8, "2024-01-08", "2024-02-08", "2027-03-03"},
    {"java8.al2", Family::java, 8, "2027-06-30", "2027-07-31", "2027-08-31"},
    {"java8.al2023", Family::java, 8},
    {"java11", Family::java, 11, "2027-06-30", "2027-07-31", "2027-08-31"},
    {"java11.al2023", Family::java, 11},
    {"java17", Family::java, 17, "2027-06-30", "2027-07-31", "2027-08-31"},
    {"java17.al2023", Family::java, 17},
    {"java21", Family::java, 21, "2029-06-30", "2029-07-31", "2029-08-31"},
    {"java25", Family::java, 25, "2029-06-30", "2029-07-31", "2029-08-31"},
    {"dotnetcore1.0", Family::dotnet, 1, "2019-06-27", "2019-06-30", "2019-07-30"},
    {"dotnetcore2.0", Family::dotnet, 2, "2019-05-30", "2019-04-30", "2019-05-30"},
    {"dotnetcore2.1", Family::dotnet, 2, "2022-01-05", "2022-01-05", "2022-04-13"},
    {"dotnetcore3.1", Family::dotnet, 3, "2023-04-03", "2023-04-03", "2023-05-03"},
    {"dotnet6", Family::dotnet, 6, "2024-12-20", "2027-02-01", "2027-03-03"},
    {"dotnet8", Family::dotnet, 8, "2026-11-10", "2027-02-01", "2027-03-03"},
    {"dotnet10", Family::dotnet, 10, "2028-11-14", "2028-12-14", "2029-01-15"},
    {"go1.x", Family::go, 1, "2024-01-08", "2024-02-08", "2027-03-03"},
    {"provided", Family::provided, 0, "2024-01-08", "2024-02-08", "2027-03-03"},
    {"provided.al2", Family::provided, 0, "2026-07-31", "2027-02-01", "2027-03-03"},
    {"provided.al2023", Family::provided, 0, "2029-06-30", "2029-07-31", "2029-08-31"},
};

}  // namespace

std::span<const Identifier> identifiers() { return kIdentifiers; }

const Identifier* find_identifier(std::string_view name) {
  const auto found = std::ranges::find(kIdentifiers, name, &Identifier::name);
  return found == std::end(kIdentifiers) ? nullptr : found;
}

std::string_view language_of(Family family) {
  switch (family) {
    case Family::python:
      return "Python";
    case Family::nodejs:
      return "Node.js";
    case Family::ruby:
      return "Ruby";
    case Family::java:
      return "Java";
    case Family::dotnet:
      return ".NET";
    case Family::go:
      return "Go";
    case Family::provided:
      break;
  }
  return "OS-only";
}

std::string version_text(Family family, int generation) {
  if (family == Family::python) return fmt::format("3.{}", generation);
  if (family == Family::ruby) return fmt::format("{}.{}", generation / 10, generation % 10);
  return std::to_string(generation);
}

std::string date_text(std::chrono::system_clock::time_point now) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

std::optional<std::string> retired(std::string_view identifier, Change change, std::string_view today) {
  const Identifier* known = find_identifier(identifier);
  if (known == nullptr) return std::nullopt;
  const std::string_view blocked = change == Change::create ? known->block_create : known->block_update;
  if (blocked.empty() || today < blocked) return std::nullopt;
  return fmt::format(
      "The runtime parameter of {} is no longer supported for creating or updating AWS Lambda functions. We recommend "
      "you use a supported runtime while creating or updating functions.",
      identifier);
}

}  // namespace lambent::runtimes
