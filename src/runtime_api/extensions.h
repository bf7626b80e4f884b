// The Extensions API of one execution environment (2020-01-01): who has registered, who waits for what.
//
// Owned by the RuntimeApi, on the environment's lane; it serves the requests beneath /2020-01-01/extension/ and begins anew with
// each start of the runtime. External extensions are executables in /opt/extensions that the sandbox starts; internal ones are
// parts of the runtime that register themselves. Source: AWS Lambda Developer Guide, "Lambda Extensions API"; states and refusals
// as AWS's runtime interface emulator has them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_server.h"
#include "base/task.h"

namespace lambent::runtime_api {

struct Event;

/// What a registration is answered with.
struct FunctionFacts {
  std::string name;
  std::string version;
  std::string handler;
  std::string account;
};

/// How one extension stands, for the log.
struct ExtensionReport {
  std::string name;
  /// "Started", "Registered", "Ready", "Running", "InitError", "ExitError", "Exited", "LaunchError"
  std::string state;
  std::vector<std::string> events;
  /// As the extension reported it.
  std::string error_type;
};

/// Why an extension ended the environment.
struct ExtensionFailure {
  /// "Extension.Crash", "Extension.InitError", "Extension.ExitError", "Extension.LaunchError"
  std::string type;
  /// "exit status 1"
  std::string reason;
};

class Extensions {
 public:
  static constexpr std::size_t kMost = 10;
  /// An executable that could not be executed ends so, as a shell says it.
  static constexpr int kCannotExecute = 126, kNotFound = 127;

  /// `changed` runs whenever one of the questions below may have another answer.
  Extensions(FunctionFacts facts, std::function<void()> changed);
  ~Extensions();
  Extensions(const Extensions&) = delete;

  /// Forgets all of them and expects these external ones, in the order of the sandbox's.
  void start(std::vector<std::string> external);
  /// Ends every wait.
  void stop();

  /// Answers one request, whose path goes on with `action` ("register", "event/next", "init/error", "exit/error").
  base::Task<void> serve(base::http::Exchange& exchange, std::string_view action);

  /// Init is over: nobody registers any more.
  void close_registration() { open_ = false; }
  bool registration_open() const { return open_; }
  /// The name of the extension with that identifier.
  std::optional<std::string> name_of(std::string_view identifier) const;

  bool none() const { return all_.empty(); }
  bool any_external() const;
  bool any_internal() const;
  /// Every one of them waits for its next event.
  bool all_ready() const;
  /// Every one that waits for the end of its sandbox is gone.
  bool all_gone() const;
  const std::optional<ExtensionFailure>& failure() const { return failure_; }
  std::vector<ExtensionReport> reports() const;

  /// Tells those that asked for INVOKE.
  void invoke(const Event& event);
  /// Tells those that asked for SHUTDOWN; from then on an end is no failure.
  void shut_down(std::string_view reason, std::int64_t deadline_ms);
  /// An external one's process is gone, by its place in start()'s list. `reason` says how ("exit status 1").
  void ended(std::size_t index, int status, std::string reason);

 private:
  struct Extension;
  using Held = std::shared_ptr<Extension>;

  base::Task<void> enroll(base::http::Exchange& exchange);
  base::Task<void> next(base::http::Exchange& exchange, Held extension);
  base::http::Response report_error(base::http::Exchange& exchange, Extension& extension, bool init);
  Held find(std::string_view identifier) const;
  std::optional<base::http::Response> refusal_to_register(std::string_view name,
                                                          const std::vector<std::string>& events);

  FunctionFacts facts_;
  std::function<void()> changed_;
  /// External ones first.
  std::vector<Held> all_;
  std::optional<ExtensionFailure> failure_;
  bool open_ = true;
  bool shutting_down_ = false;
};

}  // namespace lambent::runtime_api
