#include "store/sealing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/ids.h"
#include "store/functions.h"
#include "store/identities.h"
#include "store/migrations.h"

namespace lambent::store {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kOld(32, 'o'), kNew(32, 'n');
constexpr const char* kValue = "a-canary-that-nobody-may-read";
constexpr const char* kSecret = "the-secret-of-the-root-key";

class Sealing : public ::testing::Test {
 protected:
  Sealing() { fs::create_directories(directory_); }
  ~Sealing() override { fs::remove_all(directory_); }

  Database open(Vault vault) const {
    return Database(directory_ / "records.db", migrations(), std::nullopt, std::move(vault));
  }

  /// A store as it was before there were keys; and with it what deleted rows leave in the file.
  void write_in_the_clear() { write(Vault()); }
  void write(Vault vault) {
    Database database = open(std::move(vault));
    Functions functions(database);
    FunctionVersion function;
    function.key = {"123456789012", "us-east-1", "f"};
    function.environment = {{"TOKEN", kValue}};
    for (const char* version : {"1", "2", "$LATEST"}) {
      function.version = version;
      database.write_now([&](Transaction& transaction) {
        transaction.prepare("DELETE FROM functions WHERE version = '1'").bind().run();
      });
      create(functions, function);
    }
    Identities(database).ensure_root_key("123456789012", root_key(), 1);
  }
  static AccessKey root_key() {
    AccessKey key;
    key.id = "AKIAIOSFODNN7EXAMPLE";
    key.secret = kSecret;
    return key;
  }
  void create(Functions& functions, FunctionVersion function) {
    lane_.restart();
    asio::co_spawn(lane_, functions.create(std::move(function)), asio::detached);
    lane_.run();
  }

  /// Does anybody find it who reads the directory's files, the database closed?
  bool on_disk(std::string_view text) const {
    std::stringstream all;
    for (const auto& file : fs::directory_iterator(directory_)) all << std::ifstream(file.path()).rdbuf();
    return all.str().find(text) != std::string::npos;
  }

  const fs::path directory_ = fs::temp_directory_path() / ("lambent-sealing-" + base::random_hex(8));
  asio::io_context lane_{1};
};

TEST_F(Sealing, WhatWasWrittenInTheClearIsSealedAndNothingOfItIsLeftInTheFile) {
  write_in_the_clear();
  ASSERT_TRUE(on_disk(kValue));
  ASSERT_TRUE(on_disk(kSecret));
  {
    Database database = open(Vault({{kOld}}));
    EXPECT_EQ(seal_records(database), 3u);
    EXPECT_EQ(Functions(database).all().front()->environment.at("TOKEN"), kValue);
    EXPECT_EQ(Identities(database).access_key(root_key().id)->secret, kSecret);
  }
  EXPECT_FALSE(on_disk(kValue));
  EXPECT_FALSE(on_disk(kSecret));
}

TEST_F(Sealing, AScrubThatACrashPreventedIsMadeUpFor) {
  write_in_the_clear();
  {
    Database database = open(Vault({{kOld}}));
    seal_records(database);
    // As if the process had died between the commit and the scrub, with an SQLite that leaves what it deletes.
    for (const char* sql : {"PRAGMA secure_delete = OFF", "CREATE TABLE residue (text TEXT)",
                            "INSERT INTO residue VALUES ('a-canary-that-nobody-may-read')",
                            "DELETE FROM residue WHERE text <> ''", "UPDATE sealing SET scrub_due = 1"})
      database.write_now([sql](Transaction& transaction) { transaction.prepare(sql).bind().run(); });
  }
  ASSERT_TRUE(on_disk(kValue));
  {
    Database database = open(Vault({{kOld}}));
    EXPECT_EQ(seal_records(database), 0u);
  }
  EXPECT_FALSE(on_disk(kValue));
}

TEST_F(Sealing, ANewFirstKeySealsEverythingAnewAndTheOldOneMayGo) {
  write(Vault({{kOld}}));
  {
    Database database = open(Vault({{kNew}, {kOld}}));
    EXPECT_EQ(seal_records(database), 3u);
    EXPECT_EQ(seal_records(database), 0u);
  }
  Database database = open(Vault({{kNew}}));
  EXPECT_EQ(seal_records(database), 0u);
  EXPECT_EQ(Functions(database).all().front()->environment.at("TOKEN"), kValue);
}

TEST_F(Sealing, AKeyThatIsMissingIsToldWithTheRecord) {
  write(Vault({{kOld}}));
  Database database = open(Vault({{kNew}}));
  try {
    seal_records(database);
    FAIL() << "a store was opened without its key";
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("environment arn:aws:lambda:us-east-1:123456789012:function:f:"));
    EXPECT_THAT(error.what(), HasSubstr("the key " + Vault::id_of(kOld)));
  }
}

class SealedStore : public Sealing {
 protected:
  /// As the server leaves it.
  void seal() {
    write(Vault({{kOld}}));
    Database database = open(Vault({{kOld}}));
    seal_records(database);
  }
  /// By somebody who can write the file and has no key.
  void forge(const std::vector<std::string>& sql) {
    Database database = open(Vault());
    database.write_now([&](Transaction& transaction) {
      for (const std::string& one : sql) transaction.prepare(one).bind().run();
    });
  }
  std::string refusal(bool once_marked = false, Vault vault = Vault({{kOld}})) {
    Database database = open(std::move(vault));
    try {
      seal_records(database, once_marked);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was taken";
  }
};

constexpr const char* kForgedKey = "UPDATE access_keys SET secret = 'known to whoever wrote it'";
constexpr const char* kForgedEnvironment =
    "UPDATE functions SET environment = '{\"TOKEN\":\"mine\"}' WHERE version = '2'";

TEST_F(SealedStore, TakesNothingInTheClear) {
  seal();
  EXPECT_EQ(refusal(), "it was taken");
  forge({kForgedKey});
  EXPECT_THAT(refusal(), HasSubstr("the table access_keys holds the access key AKIAIOSFODNN7EXAMPLE in the clear"));
  // Nor does another start, or one with another first key.
  EXPECT_THAT(refusal(), HasSubstr("the table access_keys"));
  EXPECT_THAT(refusal(false, Vault({{kNew}, {kOld}})), HasSubstr("the table access_keys"));
}

TEST_F(SealedStore, TakesNoEnvironmentInTheClear) {
  seal();
  forge({kForgedEnvironment});
  EXPECT_THAT(refusal(), HasSubstr("the table functions holds the environment arn:aws:lambda:us-east-1:123456789012:"
                                   "function:f:2 in the clear"));
}

TEST_F(SealedStore, ItsMarkCannotBeMadeWithoutAKey) {
  seal();
  forge({"UPDATE sealing SET mark = 'everything in here is sealed'"});
  EXPECT_THAT(refusal(), HasSubstr("store sealed: it was never sealed"));
}

TEST_F(SealedStore, WhoTakesTheMarkAwayDeceivesNobodyWhoKnowsOfIt) {
  seal();
  forge({"DELETE FROM sealing", kForgedKey});
  EXPECT_THAT(refusal(true), HasSubstr("the table access_keys"));
}

TEST_F(SealedStore, IsMarkedAnewWhenItsKeyIs) {
  seal();
  EXPECT_EQ(refusal(false, Vault({{kNew}, {kOld}})), "it was taken");
  forge({kForgedKey});
  EXPECT_THAT(refusal(false, Vault({{kNew}})), HasSubstr("the table access_keys"));
}

TEST_F(SealedStore, OneOfAnOlderVersionIsSealedWhollyAndMarkedWithIt) {
  write(Vault({{kOld}}));
  forge({kForgedKey});
  // Sealed, and something in the clear, and no mark: that is what a store was before there were marks.
  EXPECT_EQ(refusal(), "it was taken");
  forge({kForgedKey});
  EXPECT_THAT(refusal(), HasSubstr("the table access_keys"));
}

TEST_F(Sealing, AnEnvironmentCannotBeMovedToAnotherVersion) {
  write(Vault({{kOld}}));
  Database database = open(Vault({{kOld}}));
  database.write_now([](Transaction& transaction) {
    transaction
        .prepare(
            "UPDATE functions SET environment = (SELECT environment FROM functions WHERE version = '2') "
            "WHERE version = '$LATEST'")
        .bind()
        .run();
  });
  EXPECT_THROW(Functions{database}, std::runtime_error);
}

}  // namespace
}  // namespace lambent::store
