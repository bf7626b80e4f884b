#include "services/lambda/lambda.h"

#include <chrono>

#include "aws/arn.h"
#include "base/ids.h"
#include "base/log.h"
#include "services/lambda/asynchronous.h"
#include "services/lambda/errors.h"
#include "services/lambda/routing.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kPending = "Pending";
constexpr std::string_view kInProgress = "InProgress";

bool is_settled(const store::FunctionVersion& function) {
  return function.state != kPending && function.update_status != kInProgress;
}

}  // namespace

store::FunctionSnapshot Lambda::existing(const FunctionName& name) const {
  const auto alias = name.qualifier.empty() ? nullptr : parts_.functions.alias(name.key, name.qualifier);
  const std::string_view version = alias ? std::string_view(alias->function_version) : name.qualifier;
  auto function = version.empty() ? parts_.functions.find(name.key) : parts_.functions.find(name.key, version);
  if (!function) throw function_not_found(name.arn());
  return function;
}

store::FunctionSnapshot Lambda::target(const FunctionName& name) const {
  const auto alias = name.qualifier.empty() ? nullptr : parts_.functions.alias(name.key, name.qualifier);
  if (!alias) return existing(name);
  if (alias->weights.empty()) {
    auto held = parts_.asynchronous ? parts_.asynchronous->allocations.holding(name.key, alias->name) : std::nullopt;
    auto function = held ? parts_.functions.find(name.key, *held) : nullptr;
    return function ? function : existing(name);
  }
  auto function = parts_.functions.find(name.key, routed_version(*alias, next_draw()));
  // The alias may have been changed and the version removed since it was read.
  return function ? function : existing(name);
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

void Lambda::require_revision(const OptionalText& given, const std::string& revision) {
  if (given && *given != revision) throw stale_revision();
}

std::int64_t Lambda::stored_code(std::string_view account, std::string_view region) const {
  return parts_.functions.usage(account, region).code_size + parts_.layers.code_size(account, region);
}

void Lambda::require_storage(std::string_view account, std::string_view region, std::int64_t size) const {
  if (stored_code(account, region) + size > parts_.code_storage_bytes)
    throw aws::Error("CodeStorageExceededException", "Code storage limit exceeded.", 400);
}

void Lambda::require_role(const std::string& role_arn, const store::FunctionKey& function) const {
  const auto arn = aws::Arn::parse(role_arn);
  if (arn && arn->account != function.account)
    throw aws::Error("AccessDeniedException", "Cross-account pass role is not allowed.", 403);
  if (!arn || !parts_.lambda_may_assume(role_arn, function.arn()))
    throw invalid_parameter("The role defined for the function cannot be assumed by Lambda.");
}

void Lambda::touch(store::FunctionVersion& function) const {
  function.revision_id = base::uuid();
  function.content_id = base::uuid();
  function.last_modified_ms = parts_.clock.now_ms();
}

void Lambda::set_code(store::FunctionVersion& function, const store::StoredCode& code) {
  function.code_hash = code.hash;
  function.code_sha256 = code.sha256;
  function.code_size = code.size;
  function.unzipped_size = code.unzipped_size;
  function.code_pin = code.pin;
}

base::Task<store::FunctionSnapshot> Lambda::amend(FunctionName name,
                                                  std::function<void(store::FunctionVersion&)> edit) {
  // Whoever is faster has changed the function: each further round begins with their work, so this ends.
  for (;;) {
    const auto before = existing(name);
    auto changed = *before;
    edit(changed);
    changed.revision_id = base::uuid();
    auto task = parts_.functions.replace(std::move(changed), before->revision_id);
    const bool stored = co_await std::move(task);
    if (stored) co_return existing(name);
  }
}

base::Task<void> Lambda::settle(store::FunctionKey key, std::string version) {
  // Whoever replaces the function in between settles it too, so this ends.
  for (auto function = parts_.functions.find(key, version); function && !is_settled(*function);
       function = parts_.functions.find(key, version)) {
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
    parts_.engine.expect(settled);
    co_await parts_.functions.replace(std::move(settled), function->revision_id);
  }
}

void Lambda::settle_later(base::asio::any_io_executor executor, store::FunctionKey key, std::string version) {
  // Counted before the flag is read: stop() sees the count or this sees the flag. What is left is settled at the next start.
  settling_.fetch_add(1);
  if (stopping_.load()) {
    settling_.fetch_sub(1);
    return;
  }
  auto task = settle(std::move(key), std::move(version));
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
  const auto functions = parts_.functions.all();
  for (const auto& function : functions) co_await settle(function->key, function->version);
  auto collect = [this] { return parts_.code.remove_unpinned(); };
  const auto removed = co_await parts_.cpu.run(std::move(collect));
  if (removed > 0) base::log::info("removed code archives that nobody refers to", {{"archives", removed}});
  parts_.code.reclaim_through([this](std::function<void()> work) { parts_.cpu.post(std::move(work)); });
}

base::Task<void> Lambda::stop() {
  stopping_.store(true);
  parts_.code.stop_reclaiming();
  const auto executor = co_await base::asio::this_coro::executor;
  base::asio::steady_timer timer(executor);
  while (settling_.load() > 0) {
    timer.expires_after(std::chrono::milliseconds(2));
    co_await timer.async_wait(base::asio::use_awaitable);
  }
}

}  // namespace lambent::lambda
