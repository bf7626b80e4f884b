// Who may start an environment next: a bounded number at once, and functions in turns, so that a burst of one does not keep
// another's single invocation waiting behind it, of however many tenants it is.
//
// Belongs to one lane and its engine; whoever waits when it is destroyed is never resumed. Whoever waits takes an environment
// of its function and tenant that has become idle meanwhile rather than starting another.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "base/task.h"

namespace lambent::invoke {

class Environment;

class Starts {
 public:
  /// `at_once` of 1 or more.
  Starts(base::asio::io_context& lane, std::size_t at_once);
  ~Starts();
  Starts(const Starts&) = delete;
  Starts& operator=(const Starts&) = delete;

  /// Waits for its turn. Nothing: start one, and leave() afterwards. Otherwise an environment that was offered.
  base::Task<std::unique_ptr<Environment>> enter(std::string function, std::string tenant_id = "");
  void leave();
  /// Gives an idle environment to whoever has waited longest for this function and tenant; returns it when nobody does.
  std::unique_ptr<Environment> offer(const std::string& function, const std::string& tenant_id,
                                     std::unique_ptr<Environment> environment);
  bool awaited(const std::string& function) const { return waiting_.contains(function); }

 private:
  struct Waiter;
  std::shared_ptr<Waiter> next();

  base::asio::io_context& lane_;
  std::size_t free_;
  std::map<std::string, std::deque<std::shared_ptr<Waiter>>> waiting_;
  /// Functions that wait, the next one first.
  std::deque<std::string> turns_;
};

}  // namespace lambent::invoke
