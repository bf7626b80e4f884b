// For tests: an asynchronous queue over a real store in a directory of its own, with an engine and targets that do what the test says,
// and a clock that the test moves.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "aws/error.h"
#include "base/ids.h"
#include "base/lanes.h"
#include "invoke/async/async_queue.h"
#include "store/migrations.h"

namespace lambent::invoke {

namespace asio = base::asio;
namespace fs = std::filesystem;

inline constexpr std::int64_t kStart_ms = 1'769'862'896'789;

/// Moved by the test while a lane reads it.
class TestClock final : public base::Clock {
 public:
  base::WallTime now() const override {
    ++reads;
    return base::WallTime(std::chrono::milliseconds(kStart_ms + moved_ms.load()));
  }
  base::SteadyTime steady() const override {
    return base::SteadyTime(std::chrono::hours(1) + std::chrono::milliseconds(moved_ms.load()));
  }
  void advance(std::chrono::milliseconds by) { moved_ms += by.count(); }
  std::atomic<std::int64_t> moved_ms{0};
  /// Whoever looks for work asks for the time.
  mutable std::atomic<int> reads{0};
};

/// Answers as the payload says: "ok", "fail", "throttle", "broken", "loop", "hold" (until released).
class ScriptedEngine final : public Engine {
 public:
  base::Task<Outcome> invoke(Invocation invocation) override {
    std::string what;
    {
      const std::lock_guard lock(mutex);
      seen.push_back(invocation.payload + " " + invocation.request_id);
      const auto found = script.find(invocation.payload);
      what = found == script.end() ? invocation.payload : found->second;
      last = invocation;
    }
    const int now = running.fetch_add(1) + 1;
    int highest = most.load();
    while (highest < now && !most.compare_exchange_weak(highest, now)) {
    }
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    while (what.starts_with("\"hold") && !released) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    running.fetch_sub(1);
    if (what.starts_with("\"throttle"))
      throw aws::Error("TooManyRequestsException", "Rate Exceeded.", 429).with("Reason", "x");
    if (what.starts_with("\"loop")) throw aws::Error("RecursiveInvocationException", "in a loop", 400);
    if (what.starts_with("\"broken")) throw aws::Error("ServiceException", "no sandbox", 500);
    Outcome outcome;
    outcome.executed_version = "$LATEST";
    outcome.payload = "\"answer\"";
    if (what.starts_with("\"fail")) {
      outcome.function_error = "Unhandled";
      outcome.payload = R"({"errorMessage":"no","errorType":"E"})";
    }
    co_return outcome;
  }
  void retire(const store::FunctionKey&, const std::string&) override {}
  void expect(const store::FunctionVersion&) override {}
  void provision(store::FunctionSnapshot, std::int32_t, ProvisionObserver) override {}
  base::Task<void> stop(std::chrono::seconds) override { co_return; }

  std::vector<std::string> calls() {
    const std::lock_guard lock(mutex);
    return seen;
  }
  void say(const std::string& payload, const std::string& what) {
    const std::lock_guard lock(mutex);
    script[payload] = what;
  }

  std::mutex mutex;
  std::vector<std::string> seen;
  std::map<std::string, std::string> script;
  Invocation last;
  std::atomic<bool> released{false};
  std::atomic<int> running{0}, most{0};
};

class ScriptedTargets final : public aws::Targets {
 public:
  base::Task<aws::DeliveryOutcome> deliver(aws::Delivery delivery) override {
    const bool slow = delivery.target_arn.ends_with(":slow");
    if (slow) most = std::max<int>(most, ++hanging);
    asio::steady_timer timer(co_await asio::this_coro::executor);
    while (slow && !released) {
      timer.expires_after(std::chrono::milliseconds(1));
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (slow) --hanging;
    const std::lock_guard lock(mutex);
    ++tries;
    if (outcome.kind == aws::DeliveryOutcome::Kind::delivered) delivered.push_back(std::move(delivery));
    co_return outcome;
  }
  std::string why_unreachable(std::string_view) const override { return ""; }
  std::string lacking_permission(const aws::Sender&, std::string_view) const override { return ""; }

  void answer(aws::DeliveryOutcome::Kind kind) {
    const std::lock_guard lock(mutex);
    outcome = {kind, "because"};
  }
  std::vector<aws::Delivery> all() {
    const std::lock_guard lock(mutex);
    return delivered;
  }
  int tried() {
    const std::lock_guard lock(mutex);
    return tries;
  }

  std::mutex mutex;
  aws::DeliveryOutcome outcome;
  std::vector<aws::Delivery> delivered;
  int tries = 0;
  /// A target called "slow" answers when this is true.
  std::atomic<bool> released{false};
  /// Deliveries to it that wait, and the most that ever did.
  std::atomic<int> hanging{0}, most{0};
};

class AsyncQueueFixture : public ::testing::Test {
 protected:
  AsyncQueueFixture() : directory_(fs::temp_directory_path() / ("lambent-queue-" + base::random_hex(6))) {
    fs::create_directory(directory_);
    options_.tick = std::chrono::milliseconds(1);
    // The clock is moved under the queue's feet.
    options_.longest_sleep = std::chrono::milliseconds(1);
    lanes_.start();
    open();
  }
  ~AsyncQueueFixture() override {
    close();
    lanes_.stop();
    fs::remove_all(directory_);
  }

  void open() {
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    events_ = std::make_unique<store::AsyncEvents>(*database_);
    configs_ = std::make_unique<store::EventInvokeConfigs>(*database_);
    concurrency_ = std::make_unique<store::Concurrency>(*database_);
    auto resolve = [this](const store::FunctionKey& key, const std::string&) -> store::FunctionSnapshot {
      if (gone_) return nullptr;
      auto function = std::make_shared<store::FunctionVersion>();
      function->key = key;
      function->role = "arn:aws:iam::123456789012:role/r";
      function->dead_letter_arn = dead_letter_arn_;
      function->per_tenant = per_tenant_;
      return function;
    };
    metrics_ = std::make_unique<base::Metrics>();
    AsyncParts parts{lanes_.lane(0), engine_, *events_, *configs_, *concurrency_, targets_, clock_, *metrics_, resolve};
    queue_ = make_async_queue(options_, std::move(parts));
    queue_->start();
  }
  void close() {
    engine_.released = true;
    targets_.released = true;
    if (queue_) {
      run(queue_->stop(std::chrono::seconds(5)));
      run(queue_->finish());
    }
    drop();
  }
  void drop() {
    if (database_) database_->flush();
    queue_.reset();
    concurrency_.reset();
    configs_.reset();
    events_.reset();
    database_.reset();
  }
  void restart() {
    close();
    engine_.released = false;
    targets_.released = false;
    open();
  }

  template <class T>
  T run(base::Task<T> task) {
    return asio::co_spawn(lanes_.lane(0), std::move(task), asio::use_future).get();
  }
  std::string accept(const std::string& payload, const std::string& function = "f", const std::string& qualifier = "") {
    NewEvent event{
        .function = key(function), .qualifier = qualifier, .request_id = base::uuid(), .trace_header = "Root=1-0-0"};
    event.payload = payload;
    const std::string id = event.request_id;
    run(queue_->accept(std::move(event)));
    return id;
  }
  static store::FunctionKey key(const std::string& name = "f") { return {"123456789012", "us-east-1", name}; }

  void until(const std::function<bool()>& done, const std::string& what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  /// How often it was looked for work in a tenth of a second, once what went on before has ended.
  int looks() {
    until(
        [&] {
          const int before = clock_.reads;
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          return clock_.reads - before < 5;
        },
        "rest");
    const int before = clock_.reads;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return clock_.reads - before;
  }
  void until_calls(std::size_t count) {
    until([&] { return engine_.calls().size() >= count; }, std::to_string(count) + " calls");
  }
  std::int64_t rows() {
    std::int64_t total = 0;
    for (const auto kind : {store::AsyncKind::to_run, store::AsyncKind::to_tell})
      for (const auto& backlog : events_->backlogs(kind)) total += backlog.events;
    return total;
  }
  void until_empty() {
    until([&] { return rows() == 0; }, "no rows");
  }
  /// What the row says once it is as wanted; the queue's own work is asynchronous.
  store::AsyncEvent row() {
    for (const auto kind : {store::AsyncKind::to_run, store::AsyncKind::to_tell}) {
      const auto page = run(events_->load(key(), kind, std::int64_t{1} << 60, {}, {}));
      if (!page.events.empty()) return *page.events.front();
    }
    return {};
  }
  /// In all rows of what is to be told.
  std::int64_t written_setbacks() {
    std::int64_t total = 0;
    const auto page = run(events_->load(key(), store::AsyncKind::to_tell, std::int64_t{1} << 60, {}, {}));
    for (const auto& event : page.events) total += event->setbacks;
    return total;
  }
  void configure(store::EventInvokeConfig config, const std::string& function = "f") {
    config.function = key(function);
    run(configs_->put(std::move(config)));
  }
  bool metric(const std::string& line) { return metrics_->text().find(line) != std::string::npos; }

  const fs::path directory_;
  base::Lanes lanes_{1};
  TestClock clock_;
  AsyncOptions options_;
  ScriptedEngine engine_;
  ScriptedTargets targets_;
  std::atomic<bool> gone_{false}, per_tenant_{false};
  std::string dead_letter_arn_;
  std::unique_ptr<base::Metrics> metrics_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::AsyncEvents> events_;
  std::unique_ptr<store::EventInvokeConfigs> configs_;
  std::unique_ptr<store::Concurrency> concurrency_;
  std::unique_ptr<AsyncQueue> queue_;
};

}  // namespace lambent::invoke
