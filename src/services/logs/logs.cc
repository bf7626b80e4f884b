#include "services/logs/logs.h"

#include "services/logs/words.h"

namespace lambent::logs {

store::LogGroupSnapshot Logs::existing(const aws::Caller& caller, const std::string& name) {
  auto group = groups().find({caller.account, caller.region, name});
  if (!group) throw no_such_group();
  return group;
}

base::Task<std::shared_ptr<store::GroupLog>> Logs::open(store::LogGroupSnapshot group) {
  // A cold start waits for this: one that is open costs it no trip to another thread.
  if (auto log = store().find_open(*group)) co_return log;
  auto work = [this, group] { return store().open(*group); };
  co_return co_await cpu().run(std::move(work));
}

}  // namespace lambent::logs
