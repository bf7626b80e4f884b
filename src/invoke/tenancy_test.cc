// Environments of a function that isolates its tenants.
#include "invoke/engine_fixture.h"

namespace lambent::invoke {
namespace {

using ::testing::HasSubstr;

class TenancyTest : public EngineFixture {
 protected:
  static store::FunctionSnapshot isolating(const std::string& name = "isolating") {
    auto made = function(name);
    made->per_tenant = true;
    return made;
  }
  base::Task<Outcome> call(store::FunctionSnapshot which, std::string tenant, std::string payload = "\"echo\"") {
    Invocation invocation{which, "00000000-0000-4000-8000-000000000001", "arn", payload, "", tenant};
    co_return co_await engine_->invoke(std::move(invocation));
  }
  Outcome call_of(const std::string& tenant, const std::string& payload = "\"echo\"",
                  store::FunctionSnapshot which = isolating()) {
    return run([&] { return call(which, tenant, payload); });
  }
  bool there_are(int environments) {
    const std::string line = "\nlambent_environments " + std::to_string(environments) + "\n";
    return await([&] { return metrics_.back().text().find(line) != std::string::npos; });
  }
};

TEST_F(TenancyTest, AnEnvironmentServesOneTenantForLife) {
  for (const char* tenant : {"blue", "green", "blue", "green", "blue"}) call_of(tenant);
  EXPECT_EQ(launched_specs().size(), 2u);
}

TEST_F(TenancyTest, AResetIsItsTenantsToo) {
  call_of("blue", "\"exit\"");
  call_of("green");
  EXPECT_EQ(launched_specs().size(), 2u);
  call_of("blue");
  EXPECT_EQ(launched_specs().size(), 2u);
  EXPECT_EQ(on_lane([this] { return launcher_->launched.at(0)->restarts; }), 1);
}

TEST_F(TenancyTest, WhoWaitsForATurnIsNotGivenAnothersEnvironment) {
  EngineOptions options;
  options.starts_at_once = 1;
  run([this] { return engine_->stop(std::chrono::seconds(1)); });
  build(options);
  std::vector<std::future<Outcome>> calls;
  for (int i = 0; i < 12; ++i)
    calls.push_back(asio::co_spawn(lanes_.lane(0), call(isolating(), i % 2 == 0 ? "blue" : "green"), asio::use_future));
  for (auto& one : calls) EXPECT_EQ(one.get().payload, "\"echo\"");
  ASSERT_TRUE(there_are(static_cast<int>(launched_specs().size())));
  EXPECT_GE(launched_specs().size(), 2u);
  const std::size_t before = launched_specs().size();
  call_of("red");
  EXPECT_EQ(launched_specs().size(), before + 1);
}

TEST_F(TenancyTest, RetiringAFunctionEndsThoseOfAllItsTenants) {
  for (const char* tenant : {"blue", "green", "red"}) call_of(tenant);
  ASSERT_TRUE(there_are(3));
  engine_->retire(isolating()->key, "");
  EXPECT_TRUE(there_are(0));
  call_of("blue");
  call_of("green");
  ASSERT_TRUE(there_are(2));
  engine_->retire(isolating()->key, isolating()->version);
  EXPECT_TRUE(there_are(0));
}

TEST_F(TenancyTest, AFunctionThatDoesNotIsolateSharesItsEnvironments) {
  // As an event's, whose function was made anew without isolation since it was accepted.
  call_of("blue", "\"echo\"", function());
  call_of("green", "\"echo\"", function());
  EXPECT_EQ(launched_specs().size(), 1u);
}

TEST_F(TenancyTest, AJsonLogNamesTheTenant) {
  auto json = std::make_shared<store::FunctionVersion>(*isolating("json"));
  json->log_format = "JSON";
  const Outcome outcome = call_of("blue", "\"echo\"", json);
  EXPECT_THAT(outcome.log_tail, HasSubstr(R"("version":"$LATEST","tenantId":"blue")"));
}

}  // namespace
}  // namespace lambent::invoke
