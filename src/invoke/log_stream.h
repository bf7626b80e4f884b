// Where the lines of one execution environment go: its log stream, as the environment sees it.
//
// Made when the environment is, by EngineParts::open_log; owned by the environment, on its lane. Destroying it flushes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace lambent::invoke {

class LogStream {
 public:
  virtual ~LogStream() = default;
  /// Whole lines, each an event of its own.
  virtual void write(std::string_view lines) = 0;
  /// One event, whatever lines it has, without a newline at its end.
  virtual void write_record(std::string_view record) {
    std::string line(record);
    std::ranges::replace(line, '\n', '\r');
    write(line += '\n');
  }
  /// What was written so far is with the kernel afterwards, so that a kill of the server loses none of it. Called before the
  /// outcome of an invocation is answered; otherwise lines may wait for a moment, to be written together.
  virtual void flush() = 0;
};

}  // namespace lambent::invoke
