// The trace header of an invocation (X-Amzn-Trace-Id, Lambda-Runtime-Trace-Id): taken over or made, sampled, with the lineage that
// shows a function that is invoked in a loop.
//
// "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:1|68fd508a:5": the lineage counts
// how often each function (a hash of its ARN) ran in this chain of requests. AWS's SDKs pass the header on to whatever a function
// calls. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "store/functions.h"

namespace lambent::invoke {

/// "approximately 16 times" (Developer Guide, "Use Lambda recursive loop detection").
constexpr std::int32_t kRecursiveLoops = 16;
/// A longer header is not one of ours and is replaced.
constexpr std::size_t kMaxTraceHeader = 1024;

struct TraceHeader {
  /// "1-" 8 hex digits "-" 24 hex digits; empty when there was none.
  std::string root;
  /// 16 hex digits.
  std::string parent;
  /// '0', '1' or nothing known: 0.
  char sampled = 0;
  /// Function hash and count, the latest last.
  std::vector<std::pair<std::string, std::int32_t>> lineage;

  /// What is not well-formed is left out.
  static TraceHeader parse(std::string_view text);
  std::string text() const;
};

class Tracing {
 public:
  /// `clock` must outlive this.
  explicit Tracing(const base::Clock& clock) : clock_(clock) {}

  /// The header for an invocation of `function` that came with `incoming`; counts it in the lineage.
  std::string next(std::string_view incoming, const store::FunctionVersion& function);
  /// The header under which an event is accepted now and run later: one root, sampled or not, for all its attempts.
  std::string accept(std::string_view incoming, const store::FunctionVersion& function);
  /// How often the function has run in the chain that `incoming` belongs to.
  static std::int32_t loops(std::string_view incoming, const store::FunctionVersion& function);

 private:
  bool sample();
  TraceHeader rooted(std::string_view incoming, const store::FunctionVersion& function);

  const base::Clock& clock_;
  std::atomic<std::int64_t> sampled_second_{0};
};

}  // namespace lambent::invoke
