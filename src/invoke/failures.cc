#include "invoke/failures.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>

namespace lambent::invoke {
namespace {

/// The names that the platform prints, which are Go's (package syscall, Linux).
std::string signal_name(int signal) {
  switch (signal) {
    case SIGHUP:
      return "hangup";
    case SIGINT:
      return "interrupt";
    case SIGQUIT:
      return "quit";
    case SIGILL:
      return "illegal instruction";
    case SIGTRAP:
      return "trace/breakpoint trap";
    case SIGABRT:
      return "aborted";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "floating point exception";
    case SIGKILL:
      return "killed";
    case SIGSEGV:
      return "segmentation fault";
    case SIGPIPE:
      return "broken pipe";
    case SIGALRM:
      return "alarm clock";
    case SIGTERM:
      return "terminated";
    case SIGUSR1:
      return "user defined signal 1";
    case SIGUSR2:
      return "user defined signal 2";
    default:
      return fmt::format("signal {}", signal);
  }
}

}  // namespace

std::string Failure::document() const {
  boost::json::object object;
  object["errorType"] = type;
  object["errorMessage"] = message;
  return boost::json::serialize(object);
}

Failure timed_out(std::string_view request_id, std::int32_t timeout_s, std::string_view timestamp) {
  Failure failure;
  failure.type = "Sandbox.Timedout";
  failure.message = fmt::format("RequestId: {} Error: Task timed out after {}.00 seconds", request_id, timeout_s);
  failure.log_line = fmt::format("{} {} Task timed out after {}.00 seconds\n", timestamp, request_id, timeout_s);
  return failure;
}

Failure exited(std::string_view request_id, const sandbox::Exit& exit) {
  Failure failure;
  failure.type = "Runtime.ExitError";
  std::string reason = "Runtime exited without providing a reason";
  if (exit.out_of_memory || exit.signal != 0)
    reason = "Runtime exited with error: signal: " + signal_name(exit.out_of_memory ? SIGKILL : exit.signal);
  else if (exit.status.value_or(0) != 0)
    reason = fmt::format("Runtime exited with error: exit status {}", *exit.status);
  failure.message = fmt::format("RequestId: {} Error: {}", request_id, reason);
  failure.log_line = fmt::format("{}\nRuntime.ExitError", failure.message);
  return failure;
}

Failure foreign_entrypoint(std::string_view request_id) {
  Failure failure;
  failure.type = "Runtime.InvalidEntrypoint";
  failure.message = fmt::format("RequestId: {} Error: fork/exec /var/task/bootstrap: exec format error", request_id);
  failure.log_line = failure.message + "\nRuntime.InvalidEntrypoint";
  return failure;
}

Failure missing_entrypoint(std::string_view request_id) {
  Failure failure;
  failure.type = "Runtime.InvalidEntrypoint";
  failure.message = fmt::format(
      "RequestId: {} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]", request_id);
  failure.log_line = failure.message + "\nRuntime.InvalidEntrypoint";
  return failure;
}

Failure extension_failed(std::string_view request_id, std::string_view type, std::string_view reason) {
  Failure failure;
  failure.type = type;
  failure.message = fmt::format("RequestId: {} Error: {}", request_id, reason);
  failure.log_line = fmt::format("{}\n{}", failure.message, type);
  return failure;
}

std::string exit_reason(const sandbox::Exit& exit) {
  if (exit.out_of_memory || exit.signal != 0)
    return "signal: " + signal_name(exit.out_of_memory ? SIGKILL : exit.signal);
  if (exit.status.value_or(0) == 0) return "exit code 0";
  return fmt::format("exit status {}", *exit.status);
}

Failure response_too_large() {
  Failure failure;
  failure.type = "Function.ResponseSizeTooLarge";
  failure.message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
  failure.log_line = failure.message;
  return failure;
}

}  // namespace lambent::invoke
