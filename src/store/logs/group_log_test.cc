#include "store/logs/group_log.h"

#include <gtest/gtest.h>

#include "store/segments/directory_fixture.h"

namespace lambent::store {
namespace {

namespace fs = std::filesystem;
using segments::StoppingDisk;
using Texts = std::vector<std::string>;

class GroupLogTest : public ::testing::Test {
 protected:
  fs::path path() const { return directory_.path() / "group"; }
  std::unique_ptr<GroupLog> open(std::uint64_t segment_bytes = 8 << 20) { return open(disk_, segment_bytes); }
  std::unique_ptr<GroupLog> open(segments::Disk& disk, std::uint64_t segment_bytes = 8 << 20) {
    return std::make_unique<GroupLog>(path(), disk, clock_,
                                      segments::JournalOptions{segment_bytes, std::chrono::hours(24)});
  }
  void print(GroupLog& log, const std::string& stream, const std::string& text) {
    const LogEvent event{clock_.now_ms(), text};
    EXPECT_TRUE(log.append(stream, {&event, 1}, true));
  }
  static Texts messages(const GroupLog& log, const EventQuery& query = {}) {
    Texts found;
    for (auto& event : log.find(query).events) found.push_back(event.stream + ": " + event.message);
    return found;
  }
  static Texts names(const GroupLog& log, const StreamQuery& query = {}) {
    Texts found;
    for (auto& stream : log.streams(query)) found.push_back(stream.name);
    return found;
  }

  segments::TestDirectory directory_;
  segments::Disk disk_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000000))};
};

TEST_F(GroupLogTest, StreamsAndEventsAreThereAgain) {
  {
    const auto log = open();
    EXPECT_TRUE(log->create_stream("a"));
    EXPECT_FALSE(log->create_stream("a"));
    const LogEvent event{1, "lost"};
    EXPECT_FALSE(log->append("b", {&event, 1}, false));
    print(*log, "b", "one");
    clock_.advance(std::chrono::milliseconds(5));
    print(*log, "a", "two");
    EXPECT_TRUE(log->dirty());
    log->sync();
    EXPECT_FALSE(log->dirty());
  }
  const auto log = open();
  EXPECT_EQ(names(*log), (Texts{"a", "b"}));
  EXPECT_EQ(messages(*log), (Texts{"b: one", "a: two"}));
  const auto stream = log->streams({.prefix = "b"}).at(0);
  EXPECT_EQ(stream.created_ms, 1700000000000);
  EXPECT_EQ(stream.first_event_ms, 1700000000000);
  EXPECT_EQ(stream.last_event_ms, 1700000000000);
  EXPECT_EQ(stream.last_ingestion_ms, 1700000000000);
}

TEST_F(GroupLogTest, QueriesChooseStreamsTimesAndText) {
  const auto log = open();
  for (int i = 0; i < 10; ++i) {
    print(*log, "s" + std::to_string(i % 3), std::to_string(i));
    clock_.advance(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(messages(*log, {.streams = Texts{"s1", "none"}}), (Texts{"s1: 1", "s1: 4", "s1: 7"}));
  EXPECT_EQ(messages(*log, {.streams = Texts{}}), Texts{});
  EXPECT_EQ(messages(*log, {.prefix = "s2"}), (Texts{"s2: 2", "s2: 5", "s2: 8"}));
  EXPECT_EQ(messages(*log, {.from_ms = 1700000000008, .to_ms = 1700000000008}), Texts{"s2: 8"});
  EXPECT_EQ(messages(*log, {.backward = true, .limit = 2}), (Texts{"s0: 9", "s2: 8"}));
  EventQuery query;
  query.matches = [](std::string_view message) { return message == "6"; };
  EXPECT_EQ(messages(*log, query), Texts{"s0: 6"});
}

TEST_F(GroupLogTest, StreamsArePagedByNameAndByLastEvent) {
  const auto log = open();
  for (const char* name : {"c", "a", "d", "b"}) {
    print(*log, name, "x");
    clock_.advance(std::chrono::milliseconds(1));
  }
  log->create_stream("e");
  EXPECT_EQ(names(*log), (Texts{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(names(*log, {.descending = true, .limit = 2}), (Texts{"e", "d"}));
  EXPECT_EQ(names(*log, {.descending = true, .after = std::pair(std::int64_t{0}, "d"), .limit = 2}), (Texts{"c", "b"}));
  EXPECT_EQ(names(*log, {.by_last_event = true, .descending = true}), (Texts{"e", "b", "d", "a", "c"}));
  EXPECT_EQ(names(*log, {.by_last_event = true, .after = std::pair(std::int64_t{1700000000001}, "a"), .limit = 1}),
            Texts{"d"});
}

TEST_F(GroupLogTest, ADeletedStreamIsGoneAndItsNamesakeBeginsEmpty) {
  const auto log = open();
  print(*log, "a", "old");
  EXPECT_TRUE(log->delete_stream("a"));
  EXPECT_FALSE(log->delete_stream("a"));
  EXPECT_EQ(messages(*log), Texts{});
  print(*log, "a", "new");
  EXPECT_EQ(messages(*log), Texts{"a: new"});
  EXPECT_EQ(messages(*open()), Texts{"a: new"});
}

TEST_F(GroupLogTest, ExpiredEventsAreNotFoundAndTheirFilesGo) {
  const auto log = open();
  print(*log, "a", "old");
  clock_.advance(std::chrono::hours(30));
  print(*log, "a", "young");
  log->expire_before(clock_.now_ms() - 3'600'000);
  EXPECT_EQ(messages(*log), Texts{"a: young"}) << "at once, although they share a segment";
  log->maintain();
  clock_.advance(std::chrono::hours(2));
  log->expire_before(clock_.now_ms() - 3'600'000);
  while (log->maintain()) {
  }
  EXPECT_EQ(log->stored_bytes(), 0u);
}

TEST_F(GroupLogTest, StreamsKeepTheirTimesWhenTheirEventsAreSealed) {
  {
    const auto log = open(200);
    for (int i = 0; i < 30; ++i) {
      print(*log, "a", "line " + std::to_string(i));
      clock_.advance(std::chrono::milliseconds(1));
    }
    while (log->maintain()) {
    }
  }
  const auto log = open(200);
  const auto stream = log->streams({}).at(0);
  EXPECT_EQ(stream.first_event_ms, 1700000000000);
  EXPECT_EQ(stream.last_event_ms, 1700000000029);
}

TEST_F(GroupLogTest, TheFileOfStreamsIsWrittenAnewWhenMostOfItIsOld) {
  {
    const auto log = open();
    log->create_stream("stays");
    for (int i = 0; i < 600; ++i) {
      log->create_stream("s" + std::to_string(i));
      log->delete_stream("s" + std::to_string(i));
    }
  }
  const auto before = fs::file_size(path() / "streams");
  EXPECT_EQ(names(*open()), Texts{"stays"});
  EXPECT_LT(fs::file_size(path() / "streams"), before / 100);
  print(*open(), "fresh", "mine");
  EXPECT_EQ(messages(*open()), Texts{"fresh: mine"});
}

TEST_F(GroupLogTest, AKillBetweenAnyTwoCallsLosesNothingThatWasAppended) {
  const auto life = [this](StoppingDisk& disk, segments::Appended& appended) {
    const auto log = open(disk, 300);
    for (int i = 0; i < 9; ++i) {
      const std::string stream = "s" + std::to_string(i % 4);
      const std::string text = std::to_string(i) + std::string(50, 'x');
      const LogEvent event{clock_.now_ms(), text};
      appended.under_way = stream + ": " + text;
      log->append(stream, {&event, 1}, true);
      appended.done.push_back(appended.under_way);
      if (i % 3 == 2) log->sync();
      if (i % 4 == 3) log->maintain();
    }
  };
  EXPECT_GT(segments::kill_between_any_two_calls(path(), life, [this] { return messages(*open()); }), 30);
}

}  // namespace
}  // namespace lambent::store
