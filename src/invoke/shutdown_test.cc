// How an environment ends: who is told of it, in which order, and how long each may take.
#include <stdlib.h>

#include <boost/json.hpp>

#include "invoke/engine_fixture.h"
#include "runtime_api/runtime_api_fixture.h"

namespace lambent::invoke {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// What a machine that is busy may take longer. A time that must not be longer is the best of kTries.
constexpr milliseconds kSlack{800};
constexpr int kTries = 8;

/// An extension reduced to its connection.
class Probe {
 public:
  Probe(std::uint16_t port, const std::string& name, const std::string& events) : client_(port) {
    send("POST", "register", "Lambda-Extension-Name: " + name, R"({"events":[)" + events + "]}");
    const runtime_api::Reply reply = client_.read();
    EXPECT_EQ(reply.status, 200) << reply.body;
    identifier_ = reply.header("Lambda-Extension-Identifier");
    send("GET", "event/next", "Lambda-Extension-Identifier: " + identifier_, "");
  }
  json::object event() { return json::parse(client_.read().body).as_object(); }

 private:
  void send(const std::string& method, const std::string& action, const std::string& header, const std::string& body) {
    client_.send(method + " /2020-01-01/extension/" + action + " HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                 std::to_string(body.size()) + "\r\n" + header + "\r\n\r\n" + body);
  }

  runtime_api::Client client_;
  std::string identifier_;
};

class ShutdownTest : public EngineFixture {
 protected:
  void SetUp() override {
    char path[] = "/tmp/lambent-shutdown-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    code_trees_ = path;
    const auto extensions = code_trees_ / std::string(64, 'e') / "extensions";
    std::filesystem::create_directories(extensions);
    base::Fd(::open((extensions / "outer").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
    EngineFixture::SetUp();
    launcher_->init = {FakeInit::hang};
  }
  void TearDown() override {
    EngineFixture::TearDown();
    std::filesystem::remove_all(code_trees_);
  }

  /// Each of another name, so that each test and each try has an environment of its own.
  std::shared_ptr<store::FunctionVersion> extended(bool external) {
    auto made = function("f" + std::to_string(++functions_));
    store::LayerUse layer;
    layer.hash = std::string(64, 'e');
    if (external) made->layers.push_back(std::move(layer));
    return made;
  }
  /// An environment with these extensions that has answered, or not, `payload`.
  void initialize(const std::shared_ptr<store::FunctionVersion>& which, bool internal,
                  const std::string& payload = "\"echo\"") {
    function_ = which;
    const bool external = !which->layers.empty();
    const std::size_t index = launched_specs().size();
    auto outcome = begin(payload, which);
    ASSERT_TRUE(await([&] { return launcher_->launched.size() == index + 1; }));
    sandbox_ = on_lane([&] { return launcher_->launched.back(); });
    signals_ = on_lane([&] { return launcher_->signals.back(); });
    const std::uint16_t port = on_lane([this] { return sandbox_->port(); });
    if (external) outer_.emplace(port, "outer", R"("SHUTDOWN")");
    if (internal) inner_.emplace(port, "inner", "");
    on_lane([this] { return sandbox_->start(FakeInit::ready), true; });
    outcome.get();
  }
  void retire() { engine_->retire(function_->key, ""); }
  /// The `count`-th signal.
  FakeSignals::Sent signal(std::size_t count) {
    EXPECT_TRUE(await([&] { return signals_->sent.size() >= count; })) << count;
    return on_lane([&] { return signals_->sent.size() < count ? FakeSignals::Sent{} : signals_->sent[count - 1]; });
  }
  /// From the first signal, which must be SIGTERM, to the second, SIGKILL.
  milliseconds from_term_to_kill() {
    const FakeSignals::Sent term = signal(1), kill = signal(2);
    EXPECT_EQ(term.signal, SIGTERM);
    EXPECT_EQ(kill.signal, SIGKILL);
    return std::chrono::duration_cast<milliseconds>(kill.at - term.at);
  }
  void leave() {
    on_lane([this] { return sandbox_->extension_ended(0, {.status = 0}), true; });
  }
  /// The shortest of some.
  template <class Measure>
  static milliseconds best(milliseconds enough, Measure measure) {
    milliseconds shortest = milliseconds::max();
    for (int i = 0; i < kTries && shortest >= enough && !HasFailure(); ++i) shortest = std::min(shortest, measure());
    return shortest;
  }

  std::shared_ptr<store::FunctionVersion> function_;
  FakeSandbox* sandbox_ = nullptr;
  std::shared_ptr<const FakeSignals> signals_;
  std::optional<Probe> outer_, inner_;
  int functions_ = 0;
};

TEST_F(ShutdownTest, WithoutExtensionsItIsKilledAtOnce) {
  launcher_->ends_on_sigterm = true;
  initialize(extended(false), false);
  retire();
  EXPECT_EQ(signal(1).signal, SIGKILL);
}

TEST_F(ShutdownTest, WithAnInternalExtensionTheRuntimeHasHalfASecond) {
  const milliseconds shortest = best(milliseconds(500) + kSlack, [this] {
    initialize(extended(false), true);
    retire();
    const milliseconds took = from_term_to_kill();
    EXPECT_GE(took, milliseconds(500));
    return took;
  });
  EXPECT_LT(shortest, milliseconds(500) + kSlack);
}

TEST_F(ShutdownTest, WhatWasFrozenHasAMomentToMoveBeforeItIsSignalled) {
  initialize(extended(false), true);
  ASSERT_TRUE(await([this] { return sandbox_->frozen; }));
  retire();
  const FakeSignals::Sent term = signal(1);
  EXPECT_EQ(term.signal, SIGTERM);
  EXPECT_GE(term.at - on_lane([this] { return signals_->thawed_at; }), milliseconds(10));
}

TEST_F(ShutdownTest, ARuntimeThatEndsByItselfIsNotWaitedForLonger) {
  launcher_->ends_on_sigterm = true;
  const milliseconds shortest = best(milliseconds(400), [this] {
    initialize(extended(false), true);
    retire();
    return from_term_to_kill();
  });
  EXPECT_LT(shortest, milliseconds(400));
}

TEST_F(ShutdownTest, AnExternalExtensionIsToldAfterTheRuntimeAndHasTheRestOfTwoSeconds) {
  initialize(extended(true), false);
  retire();
  const FakeSignals::Sent term = signal(1);
  const json::object event = outer_->event();
  const auto told_at = std::chrono::steady_clock::now();
  EXPECT_EQ(event.at("eventType"), "SHUTDOWN");
  EXPECT_EQ(event.at("shutdownReason"), "spindown");
  EXPECT_GE(told_at - term.at, milliseconds(300));
  const milliseconds took = from_term_to_kill();
  EXPECT_GE(took, milliseconds(2000));
  EXPECT_LT(took, milliseconds(2000) + 5 * kSlack);
}

TEST_F(ShutdownTest, TheRuntimesPartIsThreeTenthsOfASecondAndTheDeadlineCountsFromItsSignal) {
  std::int64_t deadline = 0;
  const milliseconds shortest = best(milliseconds(480), [&, this] {
    initialize(extended(true), false);
    retire();
    const FakeSignals::Sent term = signal(1);
    const json::object event = outer_->event();
    const auto told_after = std::chrono::steady_clock::now() - term.at;
    deadline = event.at("deadlineMs").as_int64() - term.wall_ms;
    leave();
    from_term_to_kill();
    return std::chrono::duration_cast<milliseconds>(told_after);
  });
  EXPECT_GE(shortest, milliseconds(300));
  EXPECT_LT(shortest, milliseconds(480));
  EXPECT_GE(deadline, 1990);
  EXPECT_LT(deadline, 2150);
}

TEST_F(ShutdownTest, WithBothKindsTheRuntimesPartIsHalfASecond) {
  const milliseconds shortest = best(milliseconds(500) + kSlack, [this] {
    initialize(extended(true), true);
    retire();
    const FakeSignals::Sent term = signal(1);
    const json::object event = outer_->event();
    const auto told_after = std::chrono::steady_clock::now() - term.at;
    EXPECT_EQ(event.at("eventType"), "SHUTDOWN");
    EXPECT_GE(told_after, milliseconds(500));
    leave();
    from_term_to_kill();
    return std::chrono::duration_cast<milliseconds>(told_after);
  });
  EXPECT_LT(shortest, milliseconds(500) + kSlack);
}

TEST_F(ShutdownTest, AnExtensionThatLeavesIsNotWaitedForLonger) {
  launcher_->ends_on_sigterm = true;
  const milliseconds shortest = best(kSlack, [this] {
    initialize(extended(true), false);
    retire();
    EXPECT_EQ(outer_->event().at("eventType"), "SHUTDOWN");
    leave();
    return from_term_to_kill();
  });
  EXPECT_LT(shortest, kSlack);
}

TEST_F(ShutdownTest, ARuntimeThatEndedIsAFailureAndGetsNoSignal) {
  initialize(extended(true), false, "\"exit\"");
  EXPECT_EQ(outer_->event().at("shutdownReason"), "failure");
  leave();
  EXPECT_EQ(signal(1).signal, SIGKILL);
}

TEST_F(ShutdownTest, AnEventThatIsNotAnsweredInTimeIsATimeout) {
  initialize(extended(true), false, "\"hang\"");
  EXPECT_EQ(outer_->event().at("shutdownReason"), "timeout");
  leave();
  from_term_to_kill();
}

}  // namespace
}  // namespace lambent::invoke
