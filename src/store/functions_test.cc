#include "store/functions.h"

#include <future>

#include "store/repository_fixture.h"

namespace lambent::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace asio = base::asio;

class FunctionsTest : public RepositoryFixture<Functions> {
 protected:
  static FunctionVersion function(const std::string& name, const std::string& region = "us-east-1") {
    FunctionVersion f;
    f.key = {"123456789012", region, name};
    f.revision_id = "r1";
    f.state = "Pending";
    return f;
  }
  std::vector<std::string> names(std::string_view region, std::string_view after = "", std::size_t limit = 50) const {
    std::vector<std::string> found;
    for (const auto& f : functions_->list("123456789012", region, after, limit)) found.push_back(f->key.name);
    return found;
  }

  std::unique_ptr<Functions>& functions_ = repository_;
};

TEST_F(FunctionsTest, EveryMemberSurvivesARestart) {
  FunctionVersion f;
  f.key = {"123456789012", "eu-west-1", "all"};
  f.description = "d";
  f.role = "arn:aws:iam::123456789012:role/r";
  f.handler = "app.handler";
  f.runtime = "python3.13";
  f.architecture = "arm64";
  f.timeout_s = 7;
  f.memory_mib = 256;
  f.ephemeral_mib = 1024;
  f.environment = {{"A", "1"}, {"QUOTED", "\"\\\n\xc3\xa9"}, {"EMPTY", ""}};
  f.tracing_mode = "Active";
  f.per_tenant = true;
  f.log_format = "JSON";
  f.application_log_level = "TRACE";
  f.system_log_level = "WARN";
  f.log_group = "/g";
  f.runtime_version_arn = "arn:aws:lambda:eu-west-1::runtime:x";
  f.code_sha256 = "base64=";
  f.code_hash = "hex";
  f.code_size = 5'000'000'000;
  f.unzipped_size = 6'000'000'000;
  f.layers = {{"arn:aws:lambda:eu-west-1:123456789012:layer:l:1", "lh", 7, 8, nullptr}};
  f.dead_letter_arn = "arn:aws:sqs:eu-west-1:123456789012:q";
  f.content_id = "content";
  f.policy = "{\"Version\":\"2012-10-17\"}";
  f.tags = {{"k", "v"}, {"\xc3\xa9", ""}};
  f.last_version = 3;
  f.revision_id = "rev";
  f.last_modified_ms = 1'769'862'896'789;
  f.state = "Failed";
  f.state_reason = "sr";
  f.state_reason_code = "src";
  f.update_status = "InProgress";
  f.update_status_reason = "ur";
  f.update_status_reason_code = "urc";
  ASSERT_TRUE(run(functions_->create(f)));
  open();
  const auto read = functions_->find(f.key);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->version, "$LATEST");
  const auto fields = [](const FunctionVersion& v) {
    return std::tie(v.key, v.description, v.role, v.handler, v.runtime, v.architecture, v.timeout_s, v.memory_mib,
                    v.ephemeral_mib, v.environment, v.tracing_mode, v.per_tenant, v.log_format, v.application_log_level,
                    v.system_log_level, v.log_group, v.runtime_version_arn, v.code_sha256, v.code_hash, v.code_size,
                    v.revision_id, v.last_modified_ms, v.state, v.state_reason, v.state_reason_code, v.update_status,
                    v.update_status_reason, v.update_status_reason_code, v.unzipped_size, v.dead_letter_arn,
                    v.content_id, v.policy, v.tags, v.last_version);
  };
  EXPECT_EQ(fields(*read), fields(f));
  ASSERT_EQ(read->layers.size(), 1u);
  const auto layer = [](const LayerUse& use) { return std::tie(use.arn, use.hash, use.size, use.unzipped_size); };
  EXPECT_EQ(layer(read->layers.front()), layer(f.layers.front()));
  EXPECT_EQ(read->arn(), "arn:aws:lambda:eu-west-1:123456789012:function:all");
}

TEST_F(FunctionsTest, ATakenNameIsNotCreatedAgain) {
  ASSERT_TRUE(run(functions_->create(function("f"))));
  auto other = function("f");
  other.revision_id = "r2";
  EXPECT_FALSE(run(functions_->create(other)));
  EXPECT_EQ(functions_->find(other.key)->revision_id, "r1");
  EXPECT_TRUE(run(functions_->create(function("f", "eu-west-1"))));
}

TEST_F(FunctionsTest, ReplaceNeedsTheRevisionThatIsStored) {
  ASSERT_TRUE(run(functions_->create(function("f"))));
  const auto held = functions_->find(function("f").key);
  auto changed = function("f");
  changed.revision_id = "r2";
  changed.state = "Active";
  EXPECT_TRUE(run(functions_->replace(changed, "r1")));
  auto late = changed;
  late.revision_id = "r3";
  EXPECT_FALSE(run(functions_->replace(late, "r1")));
  EXPECT_EQ(functions_->find(changed.key)->revision_id, "r2");
  EXPECT_EQ(held->state, "Pending") << "a snapshot does not change";
  open();
  EXPECT_EQ(functions_->find(changed.key)->state, "Active");
}

TEST_F(FunctionsTest, WhatIsRemovedIsGoneAndCannotBeReplaced) {
  ASSERT_TRUE(run(functions_->create(function("f"))));
  EXPECT_TRUE(run(functions_->remove(function("f").key)));
  EXPECT_FALSE(run(functions_->remove(function("f").key)));
  EXPECT_FALSE(run(functions_->replace(function("f"), "r1")));
  EXPECT_EQ(functions_->find(function("f").key), nullptr);
  open();
  EXPECT_THAT(functions_->all(), IsEmpty());
}

TEST_F(FunctionsTest, ACommandStillQueuedWhenTheRepositoryGoesIsWrittenAllTheSame) {
  asio::io_context lane(1);
  std::promise<void> release;
  database_->enqueue([&](Transaction&) { release.get_future().wait(); }, [](std::exception_ptr) {});
  asio::co_spawn(lane, functions_->create(function("late")), asio::detached);
  lane.poll();
  functions_.reset();
  release.set_value();
  database_.reset();
  open();
  EXPECT_TRUE(functions_->find(function("late").key));
}

TEST_F(FunctionsTest, ListsAreSortedPagedAndOfOneRegion) {
  for (const char* name : {"b", "a", "c"}) ASSERT_TRUE(run(functions_->create(function(name))));
  ASSERT_TRUE(run(functions_->create(function("elsewhere", "us-east-2"))));
  EXPECT_THAT(names("us-east-1"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(names("us-east-1", "", 2), ElementsAre("a", "b"));
  EXPECT_THAT(names("us-east-1", "b"), ElementsAre("c"));
  EXPECT_THAT(names("us-east-1", "bb"), ElementsAre("c"));
  EXPECT_THAT(names("us-east-2"), ElementsAre("elsewhere"));
  EXPECT_THAT(names("eu-west-1"), IsEmpty());
  EXPECT_EQ(functions_->all().size(), 4u);
}

/// What a function looks like after its first publication.
std::pair<FunctionVersion, FunctionVersion> published(FunctionVersion latest, const std::string& number) {
  latest.revision_id = "r-latest-" + number;
  latest.last_version = std::stoll(number);
  auto version = latest;
  version.version = number;
  version.revision_id = "r-" + number;
  return {latest, version};
}

class VersionsTest : public FunctionsTest {
 protected:
  VersionsTest() {
    EXPECT_TRUE(run(functions_->create(function("f"))));
    publish("1", "r1");
    publish("2", "r-latest-1");
  }
  void publish(const std::string& number, const std::string& expected) {
    const auto [latest, version] = published(function("f"), number);
    EXPECT_TRUE(run(functions_->replace(latest, expected, version)));
  }
  Alias alias(const std::string& name, const std::string& version = "1") const {
    Alias made;
    made.key = key_;
    made.name = name;
    made.function_version = version;
    made.revision_id = "a1";
    return made;
  }
  std::vector<std::string> versions(std::string_view after = "", std::size_t limit = 50) const {
    std::vector<std::string> found;
    for (const auto& v : functions_->versions(key_, after, limit)) found.push_back(v->version);
    return found;
  }
  std::vector<std::string> aliases(std::string_view after = "", std::string_view version = "", std::size_t limit = 50) {
    std::vector<std::string> found;
    for (const auto& a : functions_->aliases(key_, after, version, limit)) found.push_back(a->name);
    return found;
  }
  const FunctionKey key_ = function("f").key;
};

TEST_F(VersionsTest, AreFoundByNumberAndListedInItsOrder) {
  for (int number = 3; number <= 11; ++number)
    publish(std::to_string(number), "r-latest-" + std::to_string(number - 1));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(functions_->find(key_, "10")->revision_id, "r-10");
    EXPECT_EQ(functions_->find(key_, "$LATEST")->revision_id, "r-latest-11");
    for (const char* none : {"12", "0", "01", "", "-1", "x", "99999999999999999999"})
      EXPECT_EQ(functions_->find(key_, none), nullptr) << none;
    EXPECT_THAT(versions("", 3), ElementsAre("$LATEST", "1", "2"));
    EXPECT_THAT(versions("$LATEST", 2), ElementsAre("1", "2"));
    EXPECT_THAT(versions("9"), ElementsAre("10", "11"));
    EXPECT_THAT(versions("", 1), ElementsAre("$LATEST"));
    open();
  }
}

TEST_F(VersionsTest, ARaceIsLostAsAWhole) {
  const auto [latest, version] = published(function("f"), "3");
  EXPECT_FALSE(run(functions_->replace(latest, "r1", version)));
  EXPECT_EQ(functions_->find(key_, "3"), nullptr);
}

TEST_F(VersionsTest, AllFunctionsVersionsAreOneList) {
  EXPECT_TRUE(run(functions_->create(function("e"))));
  EXPECT_TRUE(run(functions_->create(function("g"))));
  const auto page = [&](std::string_view name, std::string_view version, std::size_t limit) {
    std::vector<std::string> found;
    for (const auto& v : functions_->list_versions(key_.account, key_.region, name, version, limit))
      found.push_back(v->key.name + ":" + v->version);
    return found;
  };
  EXPECT_THAT(page("", "", 9), ElementsAre("e:$LATEST", "f:$LATEST", "f:1", "f:2", "g:$LATEST"));
  EXPECT_THAT(page("e", "$LATEST", 2), ElementsAre("f:$LATEST", "f:1"));
  EXPECT_THAT(page("f", "1", 9), ElementsAre("f:2", "g:$LATEST"));
  EXPECT_THAT(page("f", "2", 1), ElementsAre("g:$LATEST"));
  EXPECT_THAT(page("g", "$LATEST", 9), IsEmpty());
}

TEST_F(VersionsTest, AreRemovedOneByOneUnlessAnAliasNeedsThem) {
  auto weighted = alias("weighted", "1");
  weighted.weights = {{"2", 0.25}};
  ASSERT_EQ(run(functions_->put_alias(weighted, "")), AliasWrite::stored);
  EXPECT_THAT(run(functions_->remove_version(key_, "1")).aliases, ElementsAre("weighted"));
  EXPECT_THAT(run(functions_->remove_version(key_, "2")).aliases, ElementsAre("weighted"));
  EXPECT_TRUE(run(functions_->remove_alias(key_, "weighted")));
  EXPECT_TRUE(run(functions_->remove_version(key_, "1")).removed);
  EXPECT_FALSE(run(functions_->remove_version(key_, "1")).removed);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(versions(), ElementsAre("$LATEST", "2"));
    open();
  }
}

TEST_F(VersionsTest, RemovingTheFunctionTakesThemAndItsAliases) {
  ASSERT_EQ(run(functions_->put_alias(alias("live"), "")), AliasWrite::stored);
  EXPECT_TRUE(run(functions_->remove(key_)));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(versions(), IsEmpty());
    EXPECT_EQ(functions_->alias(key_, "live"), nullptr);
    EXPECT_THAT(functions_->all(), IsEmpty());
    open();
  }
}

TEST_F(VersionsTest, UsageCountsEachVersionForItself) {
  auto other = function("g");
  other.code_size = 5;
  ASSERT_TRUE(run(functions_->create(other)));
  auto [latest, version] = published(other, "1");
  version.code_size = 7;
  ASSERT_TRUE(run(functions_->replace(latest, "r1", version)));
  EXPECT_EQ(functions_->usage(key_.account, key_.region).code_size, 12);
  EXPECT_EQ(functions_->usage(key_.account, key_.region).functions, 2);
  EXPECT_TRUE(run(functions_->remove_version(other.key, "1")).removed);
  EXPECT_EQ(functions_->usage(key_.account, key_.region).code_size, 5);
  EXPECT_TRUE(run(functions_->remove(other.key)));
  EXPECT_EQ(functions_->usage(key_.account, key_.region).code_size, 0);
  EXPECT_EQ(functions_->usage(key_.account, key_.region).functions, 1);
  EXPECT_EQ(functions_->usage(key_.account, "eu-west-1").functions, 0);
}

TEST_F(VersionsTest, AnAliasSurvivesARestart) {
  auto made = alias("live");
  made.description = "d";
  made.weights = {{"2", 0.1}};
  made.policy = "{}";
  ASSERT_EQ(run(functions_->put_alias(made, "")), AliasWrite::stored);
  open();
  const auto read = functions_->alias(key_, "live");
  ASSERT_TRUE(read);
  const auto fields = [](const Alias& a) {
    return std::tie(a.key, a.name, a.function_version, a.description, a.weights, a.revision_id, a.policy);
  };
  EXPECT_EQ(fields(*read), fields(made));
  EXPECT_EQ(read->arn(), "arn:aws:lambda:us-east-1:123456789012:function:f:live");
}

TEST_F(VersionsTest, AnAliasIsWrittenOverWhatWasExpectedOnly) {
  ASSERT_EQ(run(functions_->put_alias(alias("live"), "")), AliasWrite::stored);
  EXPECT_EQ(run(functions_->put_alias(alias("live"), "")), AliasWrite::lost);
  EXPECT_EQ(run(functions_->put_alias(alias("live", "3"), "a1")), AliasWrite::no_version);
  auto weighted = alias("live", "1");
  weighted.weights = {{"3", 0.5}};
  EXPECT_EQ(run(functions_->put_alias(weighted, "a1")), AliasWrite::no_version);
  auto changed = alias("live", "2");
  changed.revision_id = "a2";
  EXPECT_EQ(run(functions_->put_alias(changed, "a1")), AliasWrite::stored);
  EXPECT_EQ(run(functions_->put_alias(changed, "a1")), AliasWrite::lost);
  EXPECT_EQ(functions_->alias(key_, "live")->function_version, "2");
  EXPECT_FALSE(run(functions_->remove_alias(key_, "none")));
}

TEST_F(VersionsTest, AliasesAreListedByNameAndByVersion) {
  for (const auto& [name, version] : {std::pair("b", "1"), std::pair("a", "2"), std::pair("c", "1")})
    ASSERT_EQ(run(functions_->put_alias(alias(name, version), "")), AliasWrite::stored);
  EXPECT_THAT(aliases(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(aliases("a", "", 1), ElementsAre("b"));
  EXPECT_THAT(aliases("", "1"), ElementsAre("b", "c"));
  EXPECT_THAT(aliases("b", "1"), ElementsAre("c"));
}

TEST_F(VersionsTest, WhatBelongsToARemovedThingIsToldInItsTransaction) {
  std::vector<std::string> told;
  functions_->when_removed([&](Transaction&, const FunctionKey& key, std::string_view qualifier) {
    told.push_back(key.name + ":" + std::string(qualifier));
  });
  ASSERT_EQ(run(functions_->put_alias(alias("live", "2"), "")), AliasWrite::stored);
  run(functions_->remove_version(key_, "1"));
  run(functions_->remove_version(key_, "2"));
  run(functions_->remove_alias(key_, "live"));
  run(functions_->remove(key_));
  run(functions_->remove(key_));
  EXPECT_THAT(told, ElementsAre("f:1", "f:live", "f:"));
}

TEST_F(FunctionsTest, TenThousandAreListedPageByPageAndFoundAsQuicklyAsTen) {
  constexpr int kMany = 10'000;
  int made = 0;
  for (int i = 0; i < kMany; ++i)
    asio::co_spawn(context_, functions_->create(function("f" + std::to_string(i))),
                   [&made](std::exception_ptr, bool created) { made += created; });
  context_.restart();
  context_.run();
  ASSERT_EQ(made, kMany);
  std::string after;
  int listed = 0;
  for (auto page = names("us-east-1"); !page.empty(); page = names("us-east-1", after)) {
    listed += static_cast<int>(page.size());
    ASSERT_LT(after, page.front());
    after = page.back();
  }
  EXPECT_EQ(listed, kMany);
  const auto key = function("f7777").key;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(functions_->find(key));
  // About a microsecond each; a walk through all of them would take a hundred times the bound.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
}

TEST_F(FunctionsTest, PinsAreHeldByTheSnapshotsThatNeedThem) {
  std::map<std::string, std::weak_ptr<const void>> pins;
  const auto pin = [&](std::string_view hash) {
    auto made = std::make_shared<const int>(0);
    pins[std::string(hash)] = made;
    return made;
  };
  auto f = function("f");
  f.code_hash = "code";
  f.layers.push_back({"arn", "layer", 1, 1, nullptr});
  ASSERT_TRUE(run(functions_->create(f)));
  functions_.reset();
  functions_ = std::make_unique<Functions>(*database_, pin);
  EXPECT_FALSE(pins["code"].expired());
  EXPECT_FALSE(pins["layer"].expired());
  auto running = functions_->find(f.key);
  EXPECT_TRUE(run(functions_->remove(f.key)));
  EXPECT_FALSE(pins["code"].expired()) << "an environment still runs it";
  running.reset();
  EXPECT_TRUE(pins["code"].expired());
  EXPECT_TRUE(pins["layer"].expired());
}

}  // namespace
}  // namespace lambent::store
