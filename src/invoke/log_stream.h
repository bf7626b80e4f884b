// Where the lines of one execution environment go: its log stream, as the environment sees it.
//
// Made when the environment is, by EngineParts::open_log; owned by the environment, on its lane. Destroying it flushes.
#pragma once

#include <string_view>

namespace lambent::invoke {

class LogStream {
 public:
  virtual ~LogStream() = default;
  /// Whole lines, each an event of its own.
  virtual void write(std::string_view lines) = 0;
  /// What was written so far is with the kernel afterwards, so that a kill of the server loses none of it. Called before the
  /// outcome of an invocation is answered; otherwise lines may wait for a moment, to be written together.
  virtual void flush() = 0;
};

}  // namespace lambent::invoke
