#include "invoke/async/backlog.h"

#include <algorithm>

namespace lambent::invoke {
namespace {

std::size_t size_of(const store::AsyncEvent& event) { return event.payload.size() + event.notice.size(); }

}  // namespace

Backlog& Backlogs::of(const store::FunctionKey& function) {
  auto& backlog = backlogs_[function];
  backlog.function = function;
  return backlog;
}

Backlog* Backlogs::find(const store::FunctionKey& function) {
  const auto found = backlogs_.find(function);
  return found == backlogs_.end() ? nullptr : &found->second;
}

bool Backlogs::has_room(const Backlog& backlog, std::size_t bytes) const {
  if (backlog.window.empty()) return true;
  return backlog.window.size() < bounds_.window_events && bytes_ + bytes <= bounds_.bytes;
}

void Backlogs::arrived(Backlog& backlog, store::AsyncEventPointer event) {
  count(backlog, 1);
  if (backlog.events == 1) backlog.first_accepted_ms = event->accepted_ms;
  // Behind what waits on disk, where the next page finds it.
  if (backlog.more_on_disk || backlog.loading || !has_room(backlog, size_of(*event)))
    backlog.more_on_disk = true;
  else
    loaded(backlog, std::move(event));
}

void Backlogs::loaded(Backlog& backlog, store::AsyncEventPointer event) {
  if (!backlog.held.insert(event->id).second) return;
  bytes_ += size_of(*event);
  backlog.window.push_back(std::move(event));
}

void Backlogs::give_back(Backlog& backlog, store::AsyncEventPointer event) {
  bytes_ += size_of(*event);
  backlog.window.push_front(std::move(event));
}

bool Backlogs::wants_page(const Backlog& backlog) const {
  return backlog.more_on_disk && !backlog.loading && backlog.window.size() <= bounds_.window_events / 2 &&
         has_room(backlog, 0);
}

bool Backlogs::can_run(const Backlog& backlog, std::int64_t now_ms) {
  return !backlog.window.empty() && backlog.running < backlog.ramp.allowed() && backlog.paused_until_ms <= now_ms;
}

void Backlogs::enlist(Backlog& backlog, std::int64_t now_ms) {
  if (backlog.in_turn_ || !can_run(backlog, now_ms)) return;
  backlog.in_turn_ = true;
  turns_.push_back(&backlog);
}

std::optional<Backlogs::Turn> Backlogs::next(std::int64_t now_ms) {
  while (!turns_.empty()) {
    Backlog& backlog = *turns_.front();
    turns_.pop_front();
    backlog.in_turn_ = false;
    if (!can_run(backlog, now_ms)) continue;
    Turn turn{&backlog, std::move(backlog.window.front())};
    backlog.window.pop_front();
    bytes_ -= size_of(*turn.event);
    ++backlog.running;
    enlist(backlog, now_ms);
    return turn;
  }
  return std::nullopt;
}

bool Backlogs::forget_if_done(Backlog& backlog) {
  if (!backlog.held.empty() || backlog.loading || backlog.more_on_disk || backlog.wake_ms) return false;
  if (backlog.in_turn_) turns_.remove(&backlog);
  // Nothing is left on disk either; what was miscounted ends here.
  events_ -= backlog.events;
  const store::FunctionKey function = backlog.function;
  backlogs_.erase(function);
  return true;
}

void Backlogs::count(Backlog& backlog, std::int64_t change) {
  backlog.events += change;
  events_ += change;
}

}  // namespace lambent::invoke
