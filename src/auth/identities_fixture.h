// For the tests of this folder: a fresh record store with users, keys, roles and policies in it, and a clock that stands still.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "auth/session_tokens.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/task.h"
#include "store/database.h"
#include "store/identities.h"
#include "store/migrations.h"

namespace lambent::auth {

class IdentitiesFixture : public ::testing::Test {
 protected:
  static constexpr const char* kAccount = "123456789012";
  static constexpr const char* kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  /// 2026-01-31T12:00:00Z
  static constexpr std::int64_t kNow_s = 1'769'860'800;

  IdentitiesFixture()
      : directory_(std::filesystem::temp_directory_path() / ("lambent-auth-" + base::random_hex(6))),
        clock_(base::WallTime(std::chrono::seconds(kNow_s))) {
    std::filesystem::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    identities_ = std::make_unique<store::Identities>(*database_);
  }
  ~IdentitiesFixture() override {
    identities_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = base::asio::co_spawn(context_, std::move(task), base::asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

  void add_user(const std::string& name, const std::string& policy = "", const std::string& account = kAccount) {
    store::User user;
    user.account = account;
    user.name = name;
    user.id = "AIDA" + base::random_base32(17);
    if (!policy.empty()) user.inline_policies["p"] = policy;
    ASSERT_EQ(run(identities_->create_user(std::move(user))), store::Change::done);
  }
  void add_key(const std::string& id, const std::string& user, const std::string& secret = kSecret) {
    store::AccessKey key;
    key.id = id;
    key.secret = secret;
    key.account = kAccount;
    key.user_name = user;
    ASSERT_EQ(run(identities_->create_access_key(std::move(key))), store::Change::done);
  }
  store::RoleSnapshot add_role(const std::string& name, const std::string& trust, const std::string& policy = "",
                               const std::string& account = kAccount) {
    store::Role role;
    role.account = account;
    role.name = name;
    role.path = "/svc/";
    role.id = "AROA" + base::random_base32(17);
    role.trust_policy = trust;
    if (!policy.empty()) role.inline_policies["p"] = policy;
    EXPECT_EQ(run(identities_->create_role(std::move(role))), store::Change::done);
    return identities_->role(account, name);
  }

  std::filesystem::path directory_;
  base::ManualClock clock_;
  /// Ends after the database: its writer thread may still be inside the post that woke us.
  base::asio::io_context context_{1};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Identities> identities_;
};

}  // namespace lambent::auth
