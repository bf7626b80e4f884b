#include "store/code_signing_configs.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>

#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::store {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;
using Removal = CodeSigningConfigs::Removal;

constexpr const char* kAccount = "123456789012";
constexpr const char* kRegion = "us-east-1";

class CodeSigningConfigsTest : public ::testing::Test {
 protected:
  CodeSigningConfigsTest() : file_(fs::temp_directory_path() / ("lambent-signing-" + base::random_hex(6) + ".db")) {
    open();
  }
  ~CodeSigningConfigsTest() override {
    configs_.reset();
    functions_.reset();
    database_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file_.string() + suffix);
  }
  void open() {
    configs_.reset();
    functions_.reset();
    database_.reset();
    database_ = std::make_unique<Database>(file_, migrations());
    functions_ = std::make_unique<Functions>(*database_);
    configs_ = std::make_unique<CodeSigningConfigs>(*database_, *functions_);
  }

  template <class T>
  T run(base::Task<T> task) {
    lane_.restart();
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.run();
    return result.get();
  }

  static CodeSigningConfig config(const std::string& id) {
    CodeSigningConfig made;
    made.account = kAccount;
    made.region = kRegion;
    made.id = id;
    made.description = "of the team";
    made.publishers = {"arn:aws:signer:us-east-1:123456789012:/signing-profiles/team/1234567890", "arn:2"};
    made.policy = "Enforce";
    made.tags = {{"a", "b"}};
    made.modified_ms = 17;
    return made;
  }
  static FunctionKey key(const std::string& name) { return {kAccount, kRegion, name}; }
  bool create_function(const std::string& name, std::function<void(Transaction&)> alongside = {}) {
    FunctionVersion function;
    function.key = key(name);
    function.revision_id = "1";
    return run(functions_->create(std::move(function), std::nullopt, std::move(alongside)));
  }
  std::string used_by(const std::string& name) const {
    const auto found = configs_->of(key(name));
    return found ? found->id : "";
  }
  std::vector<std::string> users(const std::string& id, const std::string& after = "", std::size_t limit = 10) const {
    std::vector<std::string> names;
    for (const auto& user : configs_->users(*configs_->find(kAccount, kRegion, id), after, limit))
      names.push_back(user.name);
    return names;
  }

  const fs::path file_;
  asio::io_context lane_{1};
  std::unique_ptr<Database> database_;
  std::unique_ptr<Functions> functions_;
  std::unique_ptr<CodeSigningConfigs> configs_;
};

TEST_F(CodeSigningConfigsTest, OutliveARestartMemberByMember) {
  run(configs_->create(config("csc-1")));
  create_function("f", configs_->attach(key("f"), "csc-1"));
  open();
  const auto found = configs_->find(kAccount, kRegion, "csc-1");
  ASSERT_TRUE(found);
  const auto expected = config("csc-1");
  EXPECT_EQ(found->arn(), "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-1");
  EXPECT_EQ(found->description, expected.description);
  EXPECT_EQ(found->publishers, expected.publishers);
  EXPECT_EQ(found->policy, expected.policy);
  EXPECT_EQ(found->tags, expected.tags);
  EXPECT_EQ(found->modified_ms, expected.modified_ms);
  EXPECT_EQ(used_by("f"), "csc-1");
  EXPECT_EQ(users("csc-1"), std::vector<std::string>{"f"});
}

TEST_F(CodeSigningConfigsTest, AFunctionAndItsConfigurationAreMadeTogetherOrNotAtAll) {
  EXPECT_THROW(create_function("f", configs_->attach(key("f"), "csc-1")), NoSuchCodeSigningConfig);
  EXPECT_FALSE(functions_->find(key("f")));
  EXPECT_EQ(used_by("f"), "");
  run(configs_->create(config("csc-1")));
  EXPECT_TRUE(create_function("f", configs_->attach(key("f"), "csc-1")));
  EXPECT_EQ(used_by("f"), "csc-1");
}

TEST_F(CodeSigningConfigsTest, OneThatIsUsedStays) {
  run(configs_->create(config("csc-1")));
  create_function("f");
  EXPECT_TRUE(run(configs_->put(key("f"), "csc-1")));
  EXPECT_EQ(run(configs_->remove(kAccount, kRegion, "csc-1")), Removal::in_use);
  EXPECT_TRUE(run(configs_->detach(key("f"))));
  EXPECT_FALSE(run(configs_->detach(key("f"))));
  EXPECT_EQ(run(configs_->remove(kAccount, kRegion, "csc-1")), Removal::removed);
  EXPECT_EQ(run(configs_->remove(kAccount, kRegion, "csc-1")), Removal::none);
  EXPECT_FALSE(configs_->find(kAccount, kRegion, "csc-1"));
}

TEST_F(CodeSigningConfigsTest, TheEndOfAFunctionFreesItsConfiguration) {
  run(configs_->create(config("csc-1")));
  create_function("f", configs_->attach(key("f"), "csc-1"));
  run(functions_->remove(key("f")));
  EXPECT_EQ(used_by("f"), "");
  EXPECT_EQ(users("csc-1"), std::vector<std::string>{});
  create_function("f");
  EXPECT_EQ(used_by("f"), "") << "a new function of the same name";
  EXPECT_EQ(run(configs_->remove(kAccount, kRegion, "csc-1")), Removal::removed);
}

TEST_F(CodeSigningConfigsTest, AFunctionChangesFromOneToAnother) {
  run(configs_->create(config("csc-1")));
  run(configs_->create(config("csc-2")));
  create_function("f", configs_->attach(key("f"), "csc-1"));
  EXPECT_TRUE(run(configs_->put(key("f"), "csc-2")));
  EXPECT_EQ(used_by("f"), "csc-2");
  EXPECT_TRUE(users("csc-1").empty());
  EXPECT_FALSE(run(configs_->put(key("g"), "csc-1"))) << "no such function";
  EXPECT_THROW(run(configs_->put(key("f"), "csc-3")), NoSuchCodeSigningConfig);
  EXPECT_EQ(used_by("f"), "csc-2");
}

TEST_F(CodeSigningConfigsTest, OnlyTheNextRevisionReplaces) {
  run(configs_->create(config("csc-1")));
  auto changed = config("csc-1");
  changed.policy = "Warn";
  changed.revision = 2;
  EXPECT_TRUE(run(configs_->replace(changed)));
  EXPECT_FALSE(run(configs_->replace(changed)));
  EXPECT_EQ(configs_->find(kAccount, kRegion, "csc-1")->policy, "Warn");
  changed.id = "csc-2";
  EXPECT_FALSE(run(configs_->replace(changed)));
}

TEST_F(CodeSigningConfigsTest, ListsArePagesOfOneAccountAndRegion) {
  for (const char* id : {"csc-3", "csc-1", "csc-2"}) run(configs_->create(config(id)));
  auto elsewhere = config("csc-0");
  elsewhere.region = "us-east-2";
  run(configs_->create(elsewhere));
  const auto ids = [&](const std::string& after, std::size_t limit) {
    std::vector<std::string> found;
    for (const auto& one : configs_->list(kAccount, kRegion, after, limit)) found.push_back(one->id);
    return found;
  };
  EXPECT_EQ(ids("", 2), (std::vector<std::string>{"csc-1", "csc-2"}));
  EXPECT_EQ(ids("csc-2", 2), std::vector<std::string>{"csc-3"});
  for (const char* name : {"c", "a", "b"}) create_function(name, configs_->attach(key(name), "csc-1"));
  EXPECT_EQ(users("csc-1", "", 2), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(users("csc-1", "b", 2), std::vector<std::string>{"c"});
}

}  // namespace
}  // namespace lambent::store
