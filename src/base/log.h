// The server's own log: one line an event to stderr, text or JSON, never a secret.
//
// Values are quoted and control characters escaped, so that nothing from outside can forge a line. Callable from any
// thread. What functions print goes to their log groups, not here.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lambent::base::log {

enum class Level { debug, info, warn, error };
enum class Format { text, json };

struct Field {
  std::string_view name;
  std::string value;
  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(v) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view n, Number v) : name(n), value(std::to_string(v)) {}
};

/// Whether a line of this level would be written: asked first where making the fields costs something.
bool enabled(Level level);
void configure(Level threshold, Format format);
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::debug, message, fields);
}
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::info, message, fields);
}
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::warn, message, fields);
}
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) {
  write(Level::error, message, fields);
}

}  // namespace lambent::base::log
