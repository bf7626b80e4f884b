#include "auth/duplicate_member.h"

#include <boost/json/basic_parser_impl.hpp>
#include <set>
#include <vector>

namespace lambent::auth {
namespace {

namespace json = boost::json;
using json::error_code;

/// What the parser tells of; only objects and their keys matter.
struct Members {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

  bool on_object_begin(error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    open.pop_back();
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    key.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code&) {
    key.append(part.data(), part.size());
    if (!open.back().insert(key).second && !twice) twice = key;
    key.clear();
    return true;
  }

  std::vector<std::set<std::string>> open;
  std::string key;
  std::optional<std::string> twice;
};

}  // namespace

std::optional<std::string> duplicate_member(std::string_view text) {
  json::parse_options options;
  options.max_depth = 32;
  json::basic_parser<Members> parser(options);
  error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  if (error) return std::nullopt;
  return parser.handler().twice;
}

}  // namespace lambent::auth
