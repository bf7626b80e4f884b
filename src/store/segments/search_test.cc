#include "store/segments/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "store/segments/directory_fixture.h"

namespace lambent::store::segments {
namespace {

class SearchTest : public ::testing::Test {
 protected:
  SearchTest()
      : journal_(directory_.path() / "journal", disk_, clock_, {100'000, std::chrono::hours(24)},
                 [](const Record&) {}) {}

  void append(std::int64_t time_ms, std::uint32_t key, const std::string& text) {
    const Journal::Entry entry{time_ms, text};
    written_.push_back({{time_ms, journal_.append(key, {&entry, 1})}, key, text});
  }
  /// 5,000 records of five streams whose times go back and forth, in several segments, some of them sealed.
  void fill() {
    std::mt19937 random(1);
    for (int i = 0; i < 5000; ++i) {
      const auto time_ms = static_cast<std::int64_t>(i + static_cast<int>(random() % 400) - 200);
      append(time_ms, random() % 5, "text " + std::to_string(i) + std::string(random() % 200, '.'));
      if (i == 2500) journal_.seal_one([](std::uint32_t) { return true; }, [](const auto&) {});
      if (i == 2600) journal_.seal_one([](std::uint32_t) { return true; }, [](const auto&) {});
    }
  }
  /// All pages, each checked against its bounds.
  std::vector<std::string> pages(Query query, std::size_t& count) {
    std::vector<std::string> found;
    for (count = 0; count < 10'000; ++count) {
      const Page page = search(journal_, disk_, query);
      EXPECT_LE(page.found.size(), query.limit);
      for (const Found& record : page.found) found.push_back(record.bytes);
      if (!page.next) return found;
      query.after = page.next;
    }
    ADD_FAILURE() << "the pages do not end";
    return found;
  }
  std::vector<std::string> expected(const Query& query) {
    std::vector<Found> matching;
    for (const Found& record : written_)
      if (query.wants(record.key) && record.position.time_ms >= query.from_ms && record.position.time_ms <= query.to_ms)
        matching.push_back(record);
    std::ranges::sort(matching, {}, &Found::position);
    if (query.backward) std::ranges::reverse(matching);
    std::vector<std::string> texts;
    for (Found& record : matching) texts.push_back(std::move(record.bytes));
    return texts;
  }

  TestDirectory directory_;
  Disk disk_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000000))};
  Journal journal_;
  std::vector<Found> written_;
};

TEST_F(SearchTest, PagesTogetherAreEverythingInOrderOnce) {
  fill();
  std::size_t count = 0;
  for (const bool backward : {false, true})
    for (const std::size_t limit : {1'000ul, 77ul}) {
      Query query;
      query.backward = backward;
      query.limit = limit;
      query.wants = [](std::uint32_t key) { return key != 3; };
      EXPECT_EQ(pages(query, count), expected(query)) << backward << limit;
      query.from_ms = 700;
      query.to_ms = 3100;
      query.wants = [](std::uint32_t key) { return key == 2; };
      EXPECT_EQ(pages(query, count), expected(query)) << backward << limit;
      query.limit_bytes = 3000;
      EXPECT_EQ(pages(query, count), expected(query));
      EXPECT_GT(count, 10u);
    }
}

TEST_F(SearchTest, AScanThatIsTooLongEndsItsPageAndLosesNothing) {
  fill();
  for (const bool backward : {false, true}) {
    Query query;
    query.backward = backward;
    query.wants = [](std::uint32_t) { return true; };
    query.matches = [](const Record& record) {
      return record.bytes.starts_with("text 33 ") || record.bytes.size() < 10;
    };
    query.limit_scanned = 1;
    std::size_t count = 0;
    auto all = query;
    all.limit_scanned = 1 << 30;
    const auto found = pages(query, count);
    EXPECT_GT(count, 3u);
    std::size_t once = 0;
    EXPECT_EQ(found, pages(all, once));
    EXPECT_EQ(once, 0u);
  }
}

TEST_F(SearchTest, ManyRecordsOfOneMillisecondArePagedByTheirNumbers) {
  for (int i = 0; i < 50; ++i) append(5, 1, std::to_string(i));
  Query query;
  query.limit = 7;
  query.limit_scanned = 1;
  query.wants = [](std::uint32_t) { return true; };
  std::size_t count = 0;
  EXPECT_EQ(pages(query, count), expected(query));
  EXPECT_EQ(count, 7u);
}

TEST_F(SearchTest, OneRecordIsFoundWhateverItsLength) {
  append(1, 1, std::string(5000, 'x'));
  append(2, 1, "y");
  Query query;
  query.limit_bytes = 10;
  query.wants = [](std::uint32_t) { return true; };
  const Page page = search(journal_, disk_, query);
  ASSERT_EQ(page.found.size(), 1u);
  EXPECT_EQ(page.found[0].bytes.size(), 5000u);
  EXPECT_EQ(page.next, (Position{1, 0}));
}

TEST_F(SearchTest, AnEmptyJournalHasOneEmptyPage) {
  Query query;
  query.wants = [](std::uint32_t) { return true; };
  const Page page = search(journal_, disk_, query);
  EXPECT_TRUE(page.found.empty());
  EXPECT_FALSE(page.next);
}

}  // namespace
}  // namespace lambent::store::segments
