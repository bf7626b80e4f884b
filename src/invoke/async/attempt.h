// One attempt at an accepted event: runs its function, or tells its targets how it ended, and says what its row becomes.
//
// Owned by the AsyncQueue, on its lane. Everything that can go wrong is a value: attempt() does not throw.
#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/task.h"
#include "invoke/async/async_queue.h"
#include "invoke/async/ending.h"
#include "invoke/async/schedule.h"

namespace lambent::invoke {

struct Attempt {
  enum class End {
    /// The event has an end, or a time for its next try: `next` says which.
    settled,
    /// The same, and a target that was to be told could not be reached.
    unreachable,
    /// There was no place to run it in: nothing has changed.
    throttled,
  };
  End end = End::settled;
  /// The row as it is to be written; null when it is to be removed. One that has ended and is to be told has a notice and is due.
  store::AsyncEventPointer next;
};

class Attempts {
 public:
  /// Both must outlive this.
  Attempts(const AsyncOptions& options, const AsyncParts& parts);

  base::Task<Attempt> attempt(store::AsyncEventPointer event);

 private:
  struct Run;
  base::Task<Run> run(const store::AsyncEvent& event, store::FunctionSnapshot function);
  base::Task<Attempt> tell(store::AsyncEventPointer event);
  bool is_over(const store::AsyncEvent& event, const Ending& ending, const Ending::Notice& notice,
               const aws::DeliveryOutcome& outcome, bool last_try);
  Attempt ended(const store::AsyncEvent& event, const store::FunctionVersion& function, std::string_view condition,
                std::int32_t invoke_count, std::optional<Ending::Run> run);
  Attempt later(const store::AsyncEvent& event, std::int64_t due_ms, std::int32_t attempts, std::int32_t setbacks);
  Attempt drop(const store::AsyncEvent& event, std::string_view reason);
  RetryPolicy policy_of(const store::AsyncEvent& event) const;

  const AsyncOptions& options_;
  const AsyncParts& parts_;
  base::Family<base::Counter>& attempts_;
  base::Family<base::Counter>& dropped_;
  base::Family<base::Counter>& told_;
  base::Family<base::Counter>& undelivered_;
  base::Family<base::Counter>& undelivered_dead_letters_;
  base::Family<base::Histogram>& waits_;
};

}  // namespace lambent::invoke
