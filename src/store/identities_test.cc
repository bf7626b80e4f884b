#include "store/identities.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::store {
namespace {

using ::testing::ElementsAre;
namespace asio = base::asio;
constexpr const char* kAccount = "123456789012";

class IdentitiesTest : public ::testing::Test {
 protected:
  IdentitiesTest() : directory_(std::filesystem::temp_directory_path() / ("lambent-id-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
    open();
  }
  ~IdentitiesTest() override {
    identities_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    identities_.reset();
    database_.reset();
    database_ = std::make_unique<Database>(directory_ / "records.db", migrations());
    identities_ = std::make_unique<Identities>(*database_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.restart();
    lane_.run();
    return result.get();
  }

  static User user(const std::string& name, const std::string& path = "/") {
    User made;
    made.account = kAccount;
    made.name = name;
    made.path = path;
    made.id = "AIDA" + base::random_base32(17);
    made.created_ms = 1000;
    return made;
  }
  static Role role(const std::string& name, const std::string& path = "/") {
    Role made;
    made.account = kAccount;
    made.name = name;
    made.path = path;
    made.id = "AROA" + base::random_base32(17);
    made.trust_policy = "{}";
    made.description = "d";
    made.max_session_s = 7200;
    return made;
  }
  static AccessKey key(const std::string& id, const std::string& owner) {
    AccessKey made;
    made.id = id;
    made.secret = "secret-of-" + id;
    made.account = kAccount;
    made.user_name = owner;
    return made;
  }
  template <class Snapshots>
  static std::vector<std::string> names(const Snapshots& snapshots) {
    std::vector<std::string> out;
    for (const auto& snapshot : snapshots) out.push_back(snapshot->name);
    return out;
  }

  // Ends after the database, which posts to it.
  asio::io_context lane_{1};
  std::filesystem::path directory_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Identities> identities_;
};

TEST_F(IdentitiesTest, EverythingOfARecordSurvivesARestart) {
  User alice = user("Alice", "/staff/");
  alice.tags = {{"z", "1"}, {"a", "2"}};
  ASSERT_EQ(run(identities_->create_user(alice)), Change::done);
  const auto give = [](User& edited) {
    edited.inline_policies["p"] = "{\"x\":1}";
    edited.attached_policies = {"arn:2", "arn:1"};
    return Change::done;
  };
  ASSERT_EQ(run(identities_->edit_user(kAccount, "alice", give)), Change::done);
  ASSERT_EQ(run(identities_->create_role(role("R", "/svc/"))), Change::done);
  Policy policy;
  policy.account = kAccount;
  policy.name = "P";
  policy.id = "ANPA";
  policy.document = "{}";
  policy.created_ms = 5;
  ASSERT_EQ(run(identities_->create_policy(policy)), Change::done);
  ASSERT_EQ(run(identities_->create_access_key(key("AKIA1", "ALICE"))), Change::done);
  for (int round = 0; round < 2; ++round) {
    const auto found = identities_->user(kAccount, "aLiCe");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->arn(), "arn:aws:iam::123456789012:user/staff/Alice");
    EXPECT_EQ(found->id, alice.id);
    EXPECT_EQ(found->created_ms, 1000);
    ASSERT_EQ(found->tags.size(), 2u);
    EXPECT_EQ(found->tags[0].key, "z");
    EXPECT_EQ(found->inline_policies.at("p"), "{\"x\":1}");
    EXPECT_THAT(found->attached_policies, ElementsAre("arn:2", "arn:1"));
    const auto made = identities_->role(kAccount, "r");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->max_session_s, 7200);
    EXPECT_EQ(made->description, "d");
    EXPECT_EQ(made->trust_policy, "{}");
    EXPECT_EQ(identities_->policy("arn:aws:iam::123456789012:policy/P")->updated_ms, 5);
    EXPECT_EQ(identities_->access_key("AKIA1")->secret, "secret-of-AKIA1");
    EXPECT_EQ(identities_->access_key("AKIA1")->user_name, "Alice");
    open();
  }
}

TEST_F(IdentitiesTest, NamesAreTakenWithoutCaseAndPerAccountAndKind) {
  ASSERT_EQ(run(identities_->create_user(user("Bob"))), Change::done);
  EXPECT_EQ(run(identities_->create_user(user("bOB"))), Change::exists);
  User elsewhere = user("bob");
  elsewhere.account = "999999999999";
  EXPECT_EQ(run(identities_->create_user(elsewhere)), Change::done);
  EXPECT_EQ(run(identities_->create_role(role("bob"))), Change::done);
  EXPECT_EQ(identities_->user(kAccount, "BOB")->name, "Bob");
}

TEST_F(IdentitiesTest, ARoleIsFoundByItsExactArnOnly) {
  ASSERT_EQ(run(identities_->create_role(role("Exec", "/a/b/"))), Change::done);
  EXPECT_TRUE(identities_->role_by_arn("arn:aws:iam::123456789012:role/a/b/Exec"));
  for (const char* wrong :
       {"arn:aws:iam::123456789012:role/Exec", "arn:aws:iam::123456789012:role/a/b/exec",
        "arn:aws:iam::999999999999:role/a/b/Exec", "arn:aws:iam::123456789012:user/a/b/Exec", "arn:aws:iam::", "",
        "arn:aws:iam::123456789012", "arn:aws:iam::/Exec", "arn:aws:iam::123/456:Exec", "Exec"})
    EXPECT_FALSE(identities_->role_by_arn(wrong)) << wrong;
}

TEST_F(IdentitiesTest, PagesFollowTheNames) {
  for (const char* name : {"delta", "Alpha", "charlie", "bravo"})
    ASSERT_EQ(run(identities_->create_user(user(name))), Change::done);
  User other = user("aaa");
  other.account = "999999999999";
  ASSERT_EQ(run(identities_->create_user(other)), Change::done);
  EXPECT_THAT(names(identities_->users(kAccount, "", 10)), ElementsAre("Alpha", "bravo", "charlie", "delta"));
  EXPECT_THAT(names(identities_->users(kAccount, "ALPHA", 2)), ElementsAre("bravo", "charlie"));
  EXPECT_TRUE(identities_->users(kAccount, "delta", 2).empty());
  EXPECT_TRUE(identities_->roles(kAccount, "", 2).empty());
}

TEST_F(IdentitiesTest, WhoHasKeysOrPoliciesIsNotDeleted) {
  EXPECT_EQ(run(identities_->delete_user(kAccount, "carol")), Change::missing);
  ASSERT_EQ(run(identities_->create_user(user("carol"))), Change::done);
  ASSERT_EQ(run(identities_->create_access_key(key("AKIA1", "carol"))), Change::done);
  EXPECT_EQ(run(identities_->delete_user(kAccount, "carol")), Change::conflict);
  ASSERT_EQ(run(identities_->delete_access_key("AKIA1")), Change::done);
  EXPECT_FALSE(identities_->access_key("AKIA1"));
  const auto attach = [](User& edited) {
    edited.attached_policies.push_back("arn:x");
    return Change::done;
  };
  ASSERT_EQ(run(identities_->edit_user(kAccount, "carol", attach)), Change::done);
  EXPECT_EQ(identities_->attachments("arn:x"), 1u);
  EXPECT_EQ(run(identities_->delete_user(kAccount, "carol")), Change::conflict);
  const auto detach = [](User& edited) {
    edited.attached_policies.clear();
    return Change::done;
  };
  ASSERT_EQ(run(identities_->edit_user(kAccount, "carol", detach)), Change::done);
  EXPECT_EQ(run(identities_->delete_user(kAccount, "CAROL")), Change::done);
  EXPECT_FALSE(identities_->user(kAccount, "carol"));
  open();
  EXPECT_FALSE(identities_->user(kAccount, "carol"));
}

TEST_F(IdentitiesTest, AnEditThatRefusesChangesNothing) {
  ASSERT_EQ(run(identities_->create_role(role("r"))), Change::done);
  const auto refuse = [](Role& edited) {
    edited.description = "changed";
    return Change::conflict;
  };
  EXPECT_EQ(run(identities_->edit_role(kAccount, "r", refuse)), Change::conflict);
  EXPECT_EQ(identities_->role(kAccount, "r")->description, "d");
  open();
  EXPECT_EQ(identities_->role(kAccount, "r")->description, "d");
  EXPECT_EQ(run(identities_->edit_role(kAccount, "nobody", refuse)), Change::missing);
}

TEST_F(IdentitiesTest, AUserHasTwoKeysAtMostAndRootToo) {
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA0", "nobody"))), Change::missing);
  ASSERT_EQ(run(identities_->create_user(user("dan"))), Change::done);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA1", "dan"))), Change::done);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA1", "dan"))), Change::exists);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA2", "dan"))), Change::done);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA3", "dan"))), Change::limit);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA4", ""))), Change::done);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA5", ""))), Change::done);
  EXPECT_EQ(run(identities_->create_access_key(key("AKIA6", ""))), Change::limit);
  EXPECT_EQ(identities_->access_keys(kAccount, "DAN").size(), 2u);
  EXPECT_EQ(run(identities_->set_access_key_active("AKIA2", false)), Change::done);
  EXPECT_FALSE(identities_->access_key("AKIA2")->active);
  EXPECT_EQ(run(identities_->set_access_key_active("AKIA9", false)), Change::missing);
  EXPECT_EQ(run(identities_->delete_access_key("AKIA9")), Change::missing);
  open();
  EXPECT_FALSE(identities_->access_key("AKIA2")->active);
  EXPECT_TRUE(identities_->access_key("AKIA1")->active);
}

TEST_F(IdentitiesTest, RacingCreatorsGetOneWinner) {
  int won = 0, lost = 0;
  const auto creator = [&]() -> base::Task<void> {
    const Change outcome = co_await identities_->create_user(user("same"));
    ++(outcome == Change::done ? won : lost);
  };
  for (int i = 0; i < 20; ++i) asio::co_spawn(lane_, creator(), asio::detached);
  lane_.run();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 19);
}

TEST_F(IdentitiesTest, ACommandStillQueuedWhenTheRepositoryGoesIsWrittenAllTheSame) {
  std::promise<void> release;
  database_->enqueue([&](Transaction&) { release.get_future().wait(); }, [](std::exception_ptr) {});
  const auto creator = [&]() -> base::Task<void> { co_await identities_->create_user(user("late")); };
  asio::co_spawn(lane_, creator(), asio::detached);
  lane_.poll();
  identities_.reset();
  release.set_value();
  database_->flush();
  lane_.run();
  open();
  EXPECT_TRUE(identities_->user(kAccount, "late"));
}

TEST_F(IdentitiesTest, AwsManagedPoliciesAreThereFromTheStart) {
  for (const char* arn : {"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
                          "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess",
                          "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}) {
    const auto found = identities_->policy(arn);
    ASSERT_TRUE(found) << arn;
    EXPECT_EQ(found->arn(), arn);
    EXPECT_EQ(found->id.size(), 21u) << arn;
    EXPECT_TRUE(boost::json::parse(found->document).is_object()) << arn;
  }
}

TEST_F(IdentitiesTest, TheRootKeyIsMadeOnceAndStays) {
  const auto made = identities_->ensure_root_key(kAccount, std::nullopt, 7);
  EXPECT_EQ(made->id.size(), 20u);
  EXPECT_TRUE(made->id.starts_with("AKIA"));
  EXPECT_EQ(made->secret.size(), 40u);
  EXPECT_EQ(identities_->access_key(made->id)->secret, made->secret);
  open();
  EXPECT_EQ(identities_->ensure_root_key(kAccount, std::nullopt, 8)->id, made->id);
  EXPECT_NE(identities_->ensure_root_key("999999999999", std::nullopt, 8)->id, made->id);
}

TEST_F(IdentitiesTest, AGivenRootKeyReplacesTheOldOne) {
  const auto made = identities_->ensure_root_key(kAccount, std::nullopt, 7);
  AccessKey given = key("AKIAGIVEN00000000000", "ignored");
  EXPECT_EQ(identities_->ensure_root_key(kAccount, given, 8)->id, given.id);
  EXPECT_FALSE(identities_->access_key(made->id));
  EXPECT_EQ(identities_->access_key(given.id)->user_name, "");
  ASSERT_EQ(run(identities_->create_access_key(key("AKIA2", ""))), Change::done);
  // The same again leaves what was made since; another secret does not.
  EXPECT_EQ(identities_->ensure_root_key(kAccount, given, 9)->created_ms, 8);
  EXPECT_TRUE(identities_->access_key("AKIA2"));
  given.secret = "another";
  EXPECT_EQ(identities_->ensure_root_key(kAccount, given, 10)->secret, "another");
  EXPECT_FALSE(identities_->access_key("AKIA2"));
  EXPECT_THROW(identities_->ensure_root_key("999999999999", given, 11), std::runtime_error);
  EXPECT_EQ(identities_->access_key(given.id)->account, kAccount);
}

}  // namespace
}  // namespace lambent::store
