#include "store/functions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace asio = base::asio;

class FunctionsTest : public ::testing::Test {
 protected:
  FunctionsTest() : directory_(std::filesystem::temp_directory_path() / ("lambent-fn-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
    open();
  }
  ~FunctionsTest() override {
    functions_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    functions_.reset();
    database_.reset();
    database_ = std::make_unique<Database>(directory_ / "records.db", migrations());
    functions_ = std::make_unique<Functions>(*database_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = asio::co_spawn(context_, std::move(task), asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

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

  std::filesystem::path directory_;
  // The writer may still be posting to it when the answer has been read: it outlives the database.
  asio::io_context context_{1};
  std::unique_ptr<Database> database_;
  std::unique_ptr<Functions> functions_;
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
  f.has_environment = true;
  f.tracing_mode = "Active";
  f.log_format = "JSON";
  f.log_group = "/g";
  f.runtime_version_arn = "arn:aws:lambda:eu-west-1::runtime:x";
  f.code_sha256 = "base64=";
  f.code_hash = "hex";
  f.code_size = 5'000'000'000;
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
                    v.ephemeral_mib, v.environment, v.has_environment, v.tracing_mode, v.log_format, v.log_group,
                    v.runtime_version_arn, v.code_sha256, v.code_hash, v.code_size, v.revision_id, v.last_modified_ms,
                    v.state, v.state_reason, v.state_reason_code, v.update_status, v.update_status_reason,
                    v.update_status_reason_code);
  };
  EXPECT_EQ(fields(*read), fields(f));
  EXPECT_EQ(read->arn(), "arn:aws:lambda:eu-west-1:123456789012:function:all");
}

TEST_F(FunctionsTest, NoEnvironmentIsNotAnEmptyOne) {
  auto empty = function("empty");
  empty.has_environment = true;
  ASSERT_TRUE(run(functions_->create(empty)));
  ASSERT_TRUE(run(functions_->create(function("none"))));
  open();
  EXPECT_TRUE(functions_->find(empty.key)->has_environment);
  EXPECT_FALSE(functions_->find(function("none").key)->has_environment);
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

}  // namespace
}  // namespace lambent::store
