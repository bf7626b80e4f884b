#include "store/logs/log_store.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "store/migrations.h"
#include "store/segments/directory_fixture.h"

namespace lambent::store {
namespace {

namespace asio = base::asio;
namespace fs = std::filesystem;

class LogStoreTest : public ::testing::Test {
 protected:
  LogStoreTest() : database_(directory_.path() / "records.db", migrations()), groups_(database_) {}
  ~LogStoreTest() override { database_.flush(); }

  template <class T>
  T run(base::Task<T> task) {
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.restart();
    lane_.run();
    return result.get();
  }
  std::unique_ptr<LogStore> store(segments::Disk* disk = nullptr) {
    return std::make_unique<LogStore>(root(), groups_, clock_, LogStoreOptions{.open_groups = 8}, disk);
  }
  fs::path root() const { return directory_.path() / "logs"; }
  LogGroupSnapshot make(const std::string& name, std::int32_t days = 0) {
    LogGroup group;
    group.key = {"123456789012", "us-east-1", name};
    group.directory = name + "-directory";
    group.created_ms = clock_.now_ms();
    group.retention_days = days;
    group.tags = {{"team", "a\"b"}};
    EXPECT_TRUE(run(groups_.create(group)));
    return groups_.find(group.key);
  }
  void print(GroupLog& log, const std::string& text) {
    const LogEvent event{clock_.now_ms(), text};
    log.append("s", {&event, 1}, true);
  }

  asio::io_context lane_{1};
  segments::TestDirectory directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000000))};
  Database database_;
  LogGroups groups_;
};

TEST_F(LogStoreTest, GroupsAreRowsThatComeBack) {
  const auto group = make("g", 7);
  EXPECT_EQ(group->arn(), "arn:aws:logs:us-east-1:123456789012:log-group:g");
  EXPECT_FALSE(run(groups_.create(*group))) << "the name is taken";
  EXPECT_TRUE(run(groups_.edit(group->key, [](LogGroup& edited) { edited.retention_days = 1; })));
  EXPECT_FALSE(run(groups_.edit({"x", "y", "z"}, [](LogGroup&) {})));
  const LogGroups again(database_);
  const auto read = again.find(group->key);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->retention_days, 1);
  EXPECT_EQ(read->tags.at("team"), "a\"b");
  make("h");
  const auto listed = groups_.list("123456789012", "us-east-1", "g", [](const LogGroup&) { return true; }, 10);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]->key.name, "h");
  EXPECT_TRUE(run(groups_.remove(group->key, [](const LogGroup&) {})));
  EXPECT_FALSE(run(groups_.remove(group->key, [](const LogGroup&) {})));
  EXPECT_FALSE(groups_.find(group->key));
}

TEST_F(LogStoreTest, WhoWaitsForTheSyncIsAnsweredAfterIt) {
  segments::FullDisk disk;
  const auto group = make("g");
  const auto logs = store(&disk);
  const auto log = logs->open(*group);
  print(*log, "one");
  const int before = disk.syncs;
  run(logs->synced(log));
  EXPECT_GT(disk.syncs, before);
  EXPECT_FALSE(log->dirty());
  print(*log, "two");
  disk.fails_sync = true;
  EXPECT_THROW(run(logs->synced(log)), std::system_error);
  disk.fails_sync = false;
}

TEST_F(LogStoreTest, OnlySoManyGroupsAreOpenAtATime) {
  const auto logs = store();
  std::vector<LogGroupSnapshot> groups;
  for (std::size_t i = 0; i < 20u; ++i) {
    groups.push_back(make("g" + std::to_string(i)));
    print(*logs->open(*groups.back()), std::to_string(i));
  }
  std::size_t open_files = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    open_files += fs::read_symlink(entry.path(), gone).string().starts_with(root().string());
  }
  EXPECT_LE(open_files, 2u * 8);
  EXPECT_EQ(logs->find_open(*groups[0]), nullptr);
  // Nothing too when another thread looks at the groups just then.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::shared_ptr<GroupLog> found;
  while (!found && std::chrono::steady_clock::now() < until) found = logs->find_open(*groups.back());
  EXPECT_NE(found, nullptr);
  EXPECT_EQ(found, logs->open(*groups.back()));
  EXPECT_EQ(logs->open(*groups[0])->find({}).events.at(0).message, "0");
}

TEST_F(LogStoreTest, RetentionReachesGroupsThatNobodyUses) {
  const auto group = make("g", 1);
  {
    const auto logs = store();
    print(*logs->open(*group), "old");
  }
  clock_.advance(std::chrono::hours(24 * 3));
  const auto logs = store();
  logs->upkeep_now(true);
  EXPECT_EQ(logs->open(*group)->stored_bytes(), 0u);
}

TEST_F(LogStoreTest, ADirectoryWithoutItsGroupGoesAtTheNextStart) {
  const auto group = make("g");
  print(*store()->open(*group), "x");
  run(groups_.remove(group->key, [](const LogGroup&) {}));
  EXPECT_TRUE(fs::exists(root() / group->directory));
  store();
  EXPECT_FALSE(fs::exists(root() / group->directory));
}

TEST_F(LogStoreTest, AForgottenGroupIsGoneForItsWriters) {
  const auto group = make("g");
  const auto logs = store();
  const auto log = logs->open(*group);
  logs->forget(*group);
  EXPECT_TRUE(log->gone());
}

}  // namespace
}  // namespace lambent::store
