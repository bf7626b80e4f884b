#include "invoke/starts.h"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>

#include "invoke/environment.h"

namespace lambent::invoke {

using base::Task;

struct Starts::Waiter {
  Waiter(base::asio::io_context& lane, std::string tenant) : tenant_id(std::move(tenant)), decided(lane) {
    decided.expires_at(base::asio::steady_timer::time_point::max());
  }
  const std::string tenant_id;
  base::asio::steady_timer decided;
  bool done = false;
  std::unique_ptr<Environment> offered;
};

Starts::Starts(base::asio::io_context& lane, std::size_t at_once) : lane_(lane), free_(at_once) {}
Starts::~Starts() = default;

Task<std::unique_ptr<Environment>> Starts::enter(std::string function, std::string tenant_id) {
  if (free_ > 0) {
    --free_;
    co_return nullptr;
  }
  const auto waiter = std::make_shared<Waiter>(lane_, std::move(tenant_id));
  auto& queue = waiting_[function];
  if (queue.empty()) turns_.push_back(function);
  queue.push_back(waiter);
  boost::system::error_code cancelled;
  while (!waiter->done)
    co_await waiter->decided.async_wait(base::asio::redirect_error(base::asio::use_awaitable, cancelled));
  co_return std::move(waiter->offered);
}

/// The place goes to the function whose turn it is.
void Starts::leave() {
  const std::shared_ptr<Waiter> waiter = next();
  if (!waiter) {
    ++free_;
    return;
  }
  waiter->done = true;
  waiter->decided.cancel();
}

std::unique_ptr<Environment> Starts::offer(const std::string& function, const std::string& tenant_id,
                                           std::unique_ptr<Environment> environment) {
  const auto found = waiting_.find(function);
  if (found == waiting_.end()) return environment;
  auto& queue = found->second;
  const auto first = std::ranges::find(queue, tenant_id, &Waiter::tenant_id);
  if (first == queue.end()) return environment;
  const std::shared_ptr<Waiter> waiter = std::move(*first);
  queue.erase(first);
  if (queue.empty()) {
    std::erase(turns_, function);
    waiting_.erase(found);
  }
  waiter->offered = std::move(environment);
  waiter->done = true;
  waiter->decided.cancel();
  return nullptr;
}

std::shared_ptr<Starts::Waiter> Starts::next() {
  if (turns_.empty()) return nullptr;
  const std::string function = std::move(turns_.front());
  turns_.pop_front();
  const auto found = waiting_.find(function);
  std::shared_ptr<Waiter> waiter = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty())
    waiting_.erase(found);
  else
    turns_.push_back(function);
  return waiter;
}

}  // namespace lambent::invoke
