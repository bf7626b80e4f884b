#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <memory>

namespace lambent::base::log {
namespace {

Format g_format = Format::text;

spdlog::logger& logger() {
  static const auto instance = [] {
    auto created = std::make_shared<spdlog::logger>("lambent", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    created->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return created;
  }();
  return *instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warn:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// JSON's escapes hold in both formats: no value can end a line or begin another field.
std::string json_text(std::string_view text) { return boost::json::serialize(boost::json::string(text)); }

}  // namespace

void configure(Level threshold, Format format) {
  g_format = format;
  logger().set_level(to_spdlog(threshold));
  if (format == Format::json)
    logger().set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc);
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  const auto native = to_spdlog(level);
  if (!logger().should_log(native)) return;
  std::string line;
  if (g_format == Format::json) {
    line = "\"message\":" + json_text(message);
    for (const Field& field : fields) line += "," + json_text(field.name) + ":" + json_text(field.value);
  } else {
    line = message;
    for (const Field& field : fields) line += " " + std::string(field.name) + "=" + json_text(field.value);
  }
  logger().log(native, "{}", line);
}

}  // namespace lambent::base::log
