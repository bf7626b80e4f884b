#include "store/segments/journal.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "store/segments/directory_fixture.h"
#include "store/segments/search.h"

namespace lambent::store::segments {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

constexpr auto kAll = [](std::uint32_t) { return true; };
constexpr auto kNothing = [](const std::vector<std::uint32_t>&) {};
constexpr auto kIgnore = [](const Record&) {};

class JournalTest : public ::testing::Test {
 protected:
  fs::path path() const { return directory_.path() / "journal"; }
  std::unique_ptr<Journal> open(std::uint64_t segment_bytes = 8 << 20) { return open(disk_, segment_bytes); }
  std::unique_ptr<Journal> open(Disk& disk, std::uint64_t segment_bytes = 8 << 20) {
    return std::make_unique<Journal>(path(), disk, clock_, JournalOptions{segment_bytes, std::chrono::hours(24)},
                                     kIgnore);
  }
  void append(Journal& journal, const std::string& text, std::uint32_t key = 1) {
    const Journal::Entry entry{clock_.now_ms(), text};
    journal.append(key, {&entry, 1});
  }
  Texts texts(const Journal& journal) {
    Query query;
    query.wants = kAll;
    Texts found;
    for (auto& record : search(journal, disk_, query).found) found.push_back(std::move(record.bytes));
    return found;
  }
  std::map<std::string, std::uintmax_t> files() const {
    std::map<std::string, std::uintmax_t> found;
    for (const auto& entry : fs::directory_iterator(path())) found[entry.path().filename()] = entry.file_size();
    return found;
  }
  static void flip(const fs::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const char byte = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(at);
    stream.put(byte);
  }

  TestDirectory directory_;
  Disk disk_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000000))};
};

TEST_F(JournalTest, WhatWasAppendedIsThereAgain) {
  {
    const auto journal = open();
    EXPECT_FALSE(journal->dirty());
    append(*journal, "one");
    append(*journal, "two", 2);
    EXPECT_TRUE(journal->dirty());
    journal->sync();
    EXPECT_FALSE(journal->dirty());
    append(*journal, "three");
  }
  const auto journal = open();
  EXPECT_EQ(texts(*journal), (Texts{"one", "two", "three"}));
  append(*journal, "four");
  EXPECT_EQ(texts(*journal), (Texts{"one", "two", "three", "four"}));
  EXPECT_EQ(files().size(), 1u);
}

TEST_F(JournalTest, FullSegmentsAreSealedAndReadAsBefore) {
  const auto journal = open(10'000);
  Texts written;
  for (int i = 0; i < 400; ++i) {
    written.push_back("line " + std::to_string(i) + std::string(100, 'x'));
    append(*journal, written.back(), static_cast<std::uint32_t>(i % 7));
  }
  EXPECT_EQ(texts(*journal), written);
  const auto before = journal->stored_bytes();
  std::vector<std::uint32_t> published;
  while (journal->seal_one(kAll, [&](const auto& keys) { published = keys; })) {
  }
  EXPECT_EQ(published.size(), 7u);
  EXPECT_LT(journal->stored_bytes(), before / 3);
  EXPECT_EQ(texts(*journal), written);
  EXPECT_EQ(texts(*open(10'000)), written);
  std::size_t plain = 0;
  for (const auto& [name, size] : files()) plain += name.ends_with(".seg");
  EXPECT_EQ(plain, 1u);
}

TEST_F(JournalTest, SealingLeavesOutWhatNobodyWants) {
  const auto journal = open(1);
  append(*journal, "kept", 1);
  append(*journal, "dropped", 2);
  append(*journal, "active", 1);
  while (journal->seal_one([](std::uint32_t key) { return key != 2; }, kNothing)) {
  }
  EXPECT_EQ(texts(*journal), (Texts{"kept", "active"}));
  EXPECT_EQ(texts(*open()), (Texts{"kept", "active"}));
}

TEST_F(JournalTest, OldSegmentsCloseAndExpireAsAWhole) {
  const auto journal = open();
  append(*journal, "old");
  journal->roll_if_old();
  append(*journal, "still the same segment");
  clock_.advance(std::chrono::hours(25));
  journal->roll_if_old();
  append(*journal, "new");
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(journal->expire(clock_.now_ms() - 26 * 3'600'000), 0u);
  EXPECT_EQ(journal->expire(clock_.now_ms()), 1u);
  EXPECT_EQ(texts(*journal), Texts{"new"});
  EXPECT_EQ(files().size(), 1u);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(journal->expire(clock_.now_ms()), 1u) << "the active one too";
  EXPECT_EQ(texts(*journal), Texts{});
  append(*journal, "again");
  EXPECT_EQ(texts(*open()), Texts{"again"});
}

TEST_F(JournalTest, AReaderKeepsWhatIsSealedUnderIt) {
  const auto journal = open(1);
  append(*journal, "one");
  append(*journal, "two");
  const auto views = journal->views(0, clock_.now_ms());
  ASSERT_EQ(views.size(), 2u);
  while (journal->seal_one(kAll, kNothing)) {
  }
  EXPECT_EQ(read_at(views[0].plain->get(), FileHeader::kBytes + kRecordHead, 3), "one");
}

TEST_F(JournalTest, ATornTailIsCutAtEveryLength) {
  {
    const auto journal = open();
    append(*journal, "one");
    append(*journal, "two");
  }
  const fs::path file = path() / files().begin()->first;
  const auto size = fs::file_size(file);
  for (auto length = size - 1; length > size - kRecordHead - 3; --length) {
    fs::resize_file(file, length);
    EXPECT_EQ(texts(*open()), Texts{"one"}) << length;
    EXPECT_EQ(fs::file_size(file), size - kRecordHead - 3) << "cut, so that what follows is readable";
    append(*open(), "two");
    ASSERT_EQ(fs::file_size(file), size) << "and nothing ahead of the records once it is closed";
  }
}

TEST_F(JournalTest, DamageIsReportedAndTheRestStaysReadable) {
  {
    const auto journal = open(1);
    for (const char* text : {"one", "two", "three"}) append(*journal, text);
    while (journal->seal_one(kAll, kNothing)) {
    }
  }
  auto sealed = files().begin()->first;
  flip(path() / sealed, FileHeader::kBytes + 3);
  {
    const auto journal = open();
    EXPECT_EQ(texts(*journal), (Texts{"two", "three"}));
    Query query;
    query.wants = kAll;
    EXPECT_EQ(search(*journal, disk_, query).damaged, 1u);
  }
  flip(path() / sealed, static_cast<std::streamoff>(files()[sealed]) - 30);
  const auto journal = open();
  EXPECT_EQ(texts(*journal), (Texts{"two", "three"}));
  EXPECT_TRUE(files().contains(sealed + ".damaged"));
  append(*journal, "four");
  EXPECT_EQ(texts(*open()), (Texts{"two", "three", "four"}));
}

TEST_F(JournalTest, AFullDiskKeepsNothingOfWhatItRefused) {
  FullDisk disk;
  const auto journal = open(disk);
  append(*journal, "one");
  disk.full = true;
  append(*journal, "there was room for this");
  EXPECT_THROW(append(*journal, std::string(RecordFile::kWindow, 'x')), std::system_error);
  disk.full = false;
  append(*journal, "two");
  const Texts kept{"one", "there was room for this", "two"};
  EXPECT_EQ(texts(*journal), kept);
  EXPECT_EQ(texts(*open()), kept);
}

TEST_F(JournalTest, AFailedSyncIsToldOnceAndGoesOnInAnotherFile) {
  FullDisk disk;
  const auto journal = open(disk);
  append(*journal, "one");
  disk.fails_sync = true;
  EXPECT_THROW(journal->sync(), std::system_error);
  disk.fails_sync = false;
  append(*journal, "two");
  journal->sync();
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(texts(*journal), (Texts{"one", "two"}));
}

TEST_F(JournalTest, AKillBetweenAnyTwoCallsLosesNothingThatWasAppended) {
  const auto life = [this](StoppingDisk& disk, Appended& appended) {
    const auto journal = open(disk, 300);
    for (int i = 0; i < 12; ++i) {
      appended.under_way = "line " + std::to_string(i) + std::string(40, 'x');
      append(*journal, appended.under_way);
      appended.done.push_back(appended.under_way);
      if (i % 5 == 4) journal->sync();
      if (i % 4 == 3) journal->seal_one(kAll, kNothing);
    }
  };
  const auto found = [this] {
    const auto journal = open();
    const Texts there = texts(*journal);
    append(*journal, "after");
    EXPECT_EQ(texts(*open()).back(), "after");
    return there;
  };
  EXPECT_GT(kill_between_any_two_calls(path(), life, found), 40);
}

}  // namespace
}  // namespace lambent::store::segments
