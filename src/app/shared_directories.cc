#include "app/shared_directories.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <sys/stat.h>

#include <stdexcept>

namespace lambent::app {
namespace {

/// As the service's model has it.
bool is_access_point(const std::string& arn) {
  static const RE2 efs(R"(arn:aws[a-zA-Z-]*:elasticfilesystem:[a-z0-9-]+:\d{12}:access-point/fsap-[a-f0-9]{17})");
  static const RE2 s3_files(
      R"(arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}/access-point/fsap-[0-9a-f]{17,40})");
  return RE2::FullMatch(arn, efs) || RE2::FullMatch(arn, s3_files);
}

void check_directory(const std::filesystem::path& directory) {
  struct stat about{};
  if (::stat(directory.c_str(), &about) != 0 || !S_ISDIR(about.st_mode))
    throw std::invalid_argument(fmt::format("--file-system: {} is not a directory", directory.string()));
  if (about.st_uid == 0 || about.st_gid == 0)
    throw std::invalid_argument(fmt::format(
        "--file-system: {} belongs to root, as whom functions would write: give it to a user and a group of its "
        "own (chown)",
        directory.string()));
}

}  // namespace

std::vector<sandbox::SharedDirectory> parse_shared_directories(const std::vector<std::string>& texts) {
  std::vector<sandbox::SharedDirectory> parsed;
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    const std::string arn = text.substr(0, equals);
    if (equals == std::string::npos || !is_access_point(arn) || text[equals + 1] != '/')
      throw std::invalid_argument(fmt::format(
          "--file-system: {} is not ACCESS_POINT_ARN=/DIRECTORY, as "
          "arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0=/srv/shared",
          text));
    for (const auto& other : parsed)
      if (other.arn == arn) throw std::invalid_argument("--file-system: " + arn + " is there twice");
    check_directory(text.substr(equals + 1));
    parsed.push_back({arn, text.substr(equals + 1)});
  }
  if (parsed.size() > sandbox::kMaxFileSystems)
    throw std::invalid_argument(fmt::format("--file-system: at most {} are possible", sandbox::kMaxFileSystems));
  return parsed;
}

}  // namespace lambent::app
