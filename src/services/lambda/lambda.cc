#include "services/lambda/lambda.h"

#include <chrono>
#include <set>

#include "aws/arn.h"
#include "base/ids.h"
#include "base/log.h"
#include "services/lambda/errors.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kPending = "Pending";
constexpr std::string_view kInProgress = "InProgress";

bool is_settled(const store::FunctionVersion& function) {
  return function.state != kPending && function.update_status != kInProgress;
}

/// The archive's refusal as AWS words it. AWS gives no reason for a bad zip; ours follows its sentence.
aws::Error refusal_of(const store::BadArchive& bad) {
  using Why = store::BadArchive::Why;
  if (bad.why() == Why::too_large) return invalid_parameter(bad.what());
  return invalid_parameter(
      std::string("Could not unzip uploaded file. Please check your file, then try to upload again. (") + bad.what() +
      ")");
}

void require_zip_size(const std::string& zip) {
  if (zip.size() > static_cast<std::size_t>(store::kMaxZippedBytes))
    throw aws::Error("RequestEntityTooLargeException",
                     fmt::format("Zipped size must be smaller than {} bytes", store::kMaxZippedBytes), 413);
}

}  // namespace

store::FunctionSnapshot Lambda::existing(const FunctionName& name) const {
  auto function = parts_.functions.find(name.key);
  if (!function || (!name.qualifier.empty() && name.qualifier != function->version))
    throw function_not_found(name.arn());
  return function;
}

void Lambda::require_settled(const store::FunctionVersion& function) {
  if (function.update_status == kInProgress)
    throw conflict(fmt::format(
        "The operation cannot be performed at this time. An update is in progress for resource: {}", function.arn()));
  if (function.state == kPending)
    throw conflict(
        fmt::format("The operation cannot be performed at this time. The function is currently in the following "
                    "state: {}",
                    function.state));
}

base::Task<store::StoredCode> Lambda::add_code(std::string zip) {
  require_zip_size(zip);
  auto work = [this, zip = std::move(zip)] {
    try {
      return parts_.code.add(zip);
    } catch (const store::BadArchive& bad) {
      throw refusal_of(bad);
    }
  };
  co_return co_await parts_.cpu.run(std::move(work));
}

base::Task<store::StoredCode> Lambda::check_code(std::string zip) {
  require_zip_size(zip);
  auto work = [zip = std::move(zip)] {
    try {
      return store::CodeStore::check(zip);
    } catch (const store::BadArchive& bad) {
      throw refusal_of(bad);
    }
  };
  co_return co_await parts_.cpu.run(std::move(work));
}

void Lambda::require_role(const std::string& role_arn, const std::string& account) const {
  const auto arn = aws::Arn::parse(role_arn);
  if (arn && arn->account != account)
    throw aws::Error("AccessDeniedException", "Cross-account pass role is not allowed.", 403);
  if (!arn || !parts_.lambda_may_assume(role_arn))
    throw invalid_parameter("The role defined for the function cannot be assumed by Lambda.");
}

void Lambda::touch(store::FunctionVersion& function) const {
  function.revision_id = base::uuid();
  function.last_modified_ms = parts_.clock.now_ms();
}

base::Task<void> Lambda::settle(store::FunctionKey key) {
  // Whoever replaces the function in between settles it too, so this ends.
  for (auto function = parts_.functions.find(key); function && !is_settled(*function);
       function = parts_.functions.find(key)) {
    auto settled = *function;
    if (settled.state == kPending) {
      settled.state = "Active";
      settled.state_reason.clear();
      settled.state_reason_code.clear();
    }
    settled.update_status = "Successful";
    settled.update_status_reason.clear();
    settled.update_status_reason_code.clear();
    settled.revision_id = base::uuid();
    co_await parts_.functions.replace(std::move(settled), function->revision_id);
  }
}

void Lambda::settle_later(base::asio::any_io_executor executor, store::FunctionKey key) {
  // Counted before the flag is read: stop() sees the count or this sees the flag. What is left is settled at the next start.
  settling_.fetch_add(1);
  if (stopping_.load()) {
    settling_.fetch_sub(1);
    return;
  }
  auto task = settle(std::move(key));
  base::asio::co_spawn(executor, std::move(task), [this](std::exception_ptr failure) {
    settling_.fetch_sub(1);
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      base::log::error("a function's state could not be stored", {{"reason", error.what()}});
    }
  });
}

base::Task<void> Lambda::start() {
  std::set<std::string, std::less<>> referred;
  for (const auto& function : parts_.functions.all()) {
    referred.insert(function->code_hash);
    co_await settle(function->key);
  }
  auto collect = [this, referred = std::move(referred)] {
    std::size_t removed = 0;
    for (const auto& hash : parts_.code.hashes()) {
      if (referred.contains(hash)) continue;
      parts_.code.remove(hash);
      ++removed;
    }
    return removed;
  };
  const auto removed = co_await parts_.cpu.run(std::move(collect));
  if (removed > 0) base::log::info("removed code archives that no function refers to", {{"archives", removed}});
}

base::Task<void> Lambda::stop() {
  stopping_.store(true);
  const auto executor = co_await base::asio::this_coro::executor;
  base::asio::steady_timer timer(executor);
  while (settling_.load() > 0) {
    timer.expires_after(std::chrono::milliseconds(2));
    co_await timer.async_wait(base::asio::use_awaitable);
  }
}

}  // namespace lambent::lambda
