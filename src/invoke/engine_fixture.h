// For tests: an engine of one lane over fake sandboxes, with its log in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "invoke/engine.h"
#include "invoke/fake_sandbox.h"

namespace lambent::invoke {

/// The system's, ahead of it by what a test says.
class MovedClock final : public base::Clock {
 public:
  base::WallTime now() const override { return system_.now() + milliseconds(moved_ms_); }
  base::SteadyTime steady() const override { return system_.steady() + milliseconds(moved_ms_); }
  void advance(std::chrono::milliseconds by) { moved_ms_ += by.count(); }

 private:
  using milliseconds = std::chrono::milliseconds;
  base::SystemClock system_;
  std::atomic<std::int64_t> moved_ms_{0};
};

class EngineFixture : public ::testing::Test {
 protected:
  template <class Work>
  auto run(Work work) {
    return asio::co_spawn(lanes_.lane(0), std::move(work), asio::use_future).get();
  }

  /// What `ask` returns on the lane, which may go on with its own work meanwhile: the only way for a test's thread to look at what
  /// the lane writes. Not for use in what runs on the lane itself.
  template <class Ask>
  auto on_lane(Ask ask) {
    return run([&]() -> base::Task<decltype(ask())> { co_return ask(); });
  }
  std::vector<sandbox::Spec> launched_specs() {
    return on_lane([this] { return launcher_->specs; });
  }
  std::string flushed_log() {
    return on_lane([this] { return log_; });
  }

  void SetUp() override { build({}); }
  void TearDown() override {
    if (engine_) run([this] { return engine_->stop(std::chrono::seconds(1)); });
    lanes_.stop();
  }

  /// Without spares, which have tests of their own, unless they are asked for: what is launched here is launched for an invocation.
  void build(EngineOptions options, std::int64_t spare_memory_mib = 0) {
    options.spare_memory_mib = spare_memory_mib;
    std::vector<std::unique_ptr<sandbox::Launcher>> launchers;
    auto launcher = std::make_unique<FakeLauncher>(lanes_.lane(0));
    launcher_ = launcher.get();
    launchers.push_back(std::move(launcher));
    auto credentials = [](const store::FunctionVersion&) { return RoleCredentials{"ASIAEXAMPLE", "secret", "token"}; };
    auto serve_api = [](asio::any_io_executor executor, base::Fd listener) {
      auto handler = [](base::http::Exchange& exchange) -> base::Task<void> {
        base::http::Response response;
        co_await exchange.respond(std::move(response));
      };
      return base::http::serve(executor, std::move(listener), {}, handler);
    };
    auto open_log = [this](const store::FunctionVersion&, std::string) -> base::Task<std::unique_ptr<LogStream>> {
      co_return std::make_unique<KeptLog>(log_, unflushed_);
    };
    EngineParts parts{lanes_,   std::move(launchers), catalog_, clock_, metrics_.emplace_back(), credentials, serve_api,
                      open_log, code_trees_};
    engine_ = make_engine(options, std::move(parts));
    if (!std::exchange(started_, true)) lanes_.start();
  }

  static std::shared_ptr<store::FunctionVersion> function(const std::string& name = "f") {
    auto made = std::make_shared<store::FunctionVersion>();
    made->key = {"123456789012", "us-east-1", name};
    made->runtime = "provided.al2023";
    made->handler = "h";
    made->code_hash = std::string(64, 'a');
    made->timeout_s = 1;
    made->log_group = "/aws/lambda/" + name;
    return made;
  }

  /// Its version 1.
  static std::shared_ptr<store::FunctionVersion> published(const std::string& name = "f") {
    auto made = function(name);
    made->version = "1";
    return made;
  }

  /// Until `condition` holds, which is asked on the lane. False after ten seconds.
  bool await(std::function<bool()> condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < give_up) {
      if (on_lane(condition)) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  std::future<Outcome> begin(const std::string& payload, store::FunctionSnapshot which = function()) {
    auto work = [this, payload, which]() -> base::Task<Outcome> {
      Invocation invocation{which, "00000000-0000-4000-8000-000000000001", "arn", payload, "", ""};
      co_return co_await engine_->invoke(std::move(invocation));
    };
    return asio::co_spawn(lanes_.lane(0), std::move(work), asio::use_future);
  }
  Outcome invoke(const std::string& payload, store::FunctionSnapshot which = function()) {
    return begin(payload, std::move(which)).get();
  }

  base::Lanes lanes_{1};
  /// Where layers are looked for, when a test has some.
  std::filesystem::path code_trees_;
  runtimes::Catalog catalog_;
  MovedClock clock_;
  /// Of each engine that was built: a registry keeps what it asks.
  std::deque<base::Metrics> metrics_;
  /// What it was told is set here before work is posted; what it did is the lane's.
  FakeLauncher* launcher_ = nullptr;
  std::unique_ptr<Engine> engine_;
  struct KeptLog final : LogStream {
    KeptLog(std::string& to, std::string& before) : log(to), unflushed(before) {}
    void write(std::string_view lines) override { unflushed += lines; }
    void flush() override { log += std::exchange(unflushed, {}); }
    std::string& log;
    std::string& unflushed;
  };
  /// What was flushed, and what was not yet. On the lane.
  std::string log_, unflushed_;
  bool started_ = false;
};

}  // namespace lambent::invoke
