// How an accepted event ended, as its row keeps it until every target that is to know of it does, and the messages that the
// targets get: the invocation record ("Capturing records of Lambda asynchronous invocations") and the dead letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/targets.h"
#include "store/async_events.h"
#include "store/functions.h"

namespace lambent::invoke {

struct Ending {
  /// What the function said when it ran last.
  struct Run {
    std::string executed_version;
    /// Empty for success.
    std::string function_error;
    std::string payload;
    /// What the function's own trace header was: whoever is told carries it on.
    std::string trace_header;
  };
  struct Notice {
    bool dead_letter = false;
    std::string target_arn;
  };
  /// Success, RetriesExhausted, EventAgeExceeded or ZeroReservedConcurrency.
  std::string condition;
  /// approximateInvokeCount.
  std::int32_t invoke_count = 0;
  std::int64_t ended_ms = 0;
  /// With the version or alias.
  std::string function_arn;
  std::string role_arn;
  /// Nothing when the function did not run at last.
  std::optional<Run> run;
  /// Those who do not know yet.
  std::vector<Notice> notices;

  /// For AsyncEvent::notice.
  std::string text() const;
  /// Throws std::runtime_error for what text() did not make.
  static Ending parse(const std::string& text);
};

/// {"version":"1.0","timestamp":...,"requestContext":{...},"requestPayload":...,"responseContext":{...},"responsePayload":...}
std::string record_of(const store::AsyncEvent& event, const Ending& ending);

/// The message for one of ending.notices.
aws::Delivery delivery_of(const store::AsyncEvent& event, const Ending& ending, const Ending::Notice& notice);

}  // namespace lambent::invoke
