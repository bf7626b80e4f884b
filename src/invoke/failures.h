// What the caller of Invoke is told when a function fails in a way that it cannot report itself: the platform's error
// documents, recorded against AWS (facts/runtime.md section 4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sandbox/sandbox.h"

namespace lambent::invoke {

struct Failure {
  /// "Runtime.ExitError", "Sandbox.Timedout", "Function.ResponseSizeTooLarge", "Runtime.InvalidEntrypoint"
  std::string type;
  std::string message;
  /// The line that the function's log gets.
  std::string log_line;

  /// {"errorType":...,"errorMessage":...}
  std::string document() const;
};

Failure timed_out(std::string_view request_id, std::int32_t timeout_s, std::string_view timestamp);
Failure exited(std::string_view request_id, const sandbox::Exit& exit);
/// facts: "Couldn't find valid bootstrap(s)".
Failure missing_entrypoint(std::string_view request_id);
/// A program of another architecture, or none at all; its log line before says which.
Failure foreign_entrypoint(std::string_view request_id);
Failure response_too_large();
/// `type` is Extension.Crash or one of its kin, `reason` how the extension ended.
Failure extension_failed(std::string_view request_id, std::string_view type, std::string_view reason);
/// "exit status 1", "signal: killed", "exit code 0"
std::string exit_reason(const sandbox::Exit& exit);

}  // namespace lambent::invoke
