#include "store/segments/record.h"

#include <gtest/gtest.h>

#include <vector>

namespace lambent::store::segments {
namespace {

constexpr std::uint64_t kSalt = 0x1234567890abcdef;

std::string three_records() {
  std::string bytes;
  append_record(bytes, kSalt, {7, 1000, 1, "first"});
  append_record(bytes, kSalt, {8, 999, 2, ""});
  append_record(bytes, kSalt, {9, -5, 1, std::string_view("\0third\n", 7)});
  return bytes;
}

std::vector<std::uint64_t> sequences(std::string_view bytes, std::uint64_t salt = kSalt) {
  RecordReader reader(bytes, salt, 7);
  std::vector<std::uint64_t> found;
  while (const auto record = reader.next()) found.push_back(record->sequence);
  return found;
}

using Sequences = std::vector<std::uint64_t>;

TEST(Records, ComeBackAsTheyWereWritten) {
  const std::string bytes = three_records();
  RecordReader reader(bytes, kSalt, 7);
  reader.next();
  reader.next();
  const auto record = reader.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence, 9u);
  EXPECT_EQ(record->time_ms, -5);
  EXPECT_EQ(record->key, 1u);
  EXPECT_EQ(record->bytes, std::string_view("\0third\n", 7));
  EXPECT_FALSE(reader.next());
  EXPECT_EQ(reader.end(), bytes.size());
  EXPECT_EQ(reader.damaged(), 0u);
}

TEST(Records, ATailTornAnywhereLeavesTheWholeOnes) {
  const std::string bytes = three_records();
  const std::size_t first = kRecordHead + 5, second = first + kRecordHead;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const Sequences whole = length < first ? Sequences{} : length < second ? Sequences{7} : Sequences{7, 8};
    EXPECT_EQ(sequences(std::string_view(bytes).substr(0, length)), whole) << length;
  }
  EXPECT_EQ(sequences(bytes + std::string(100, '\0')), (Sequences{7, 8, 9}))
      << "a file extended by a crash reads as zeros";
}

TEST(Records, AFlippedBitLosesItsOwnRecordAndNoOther) {
  const std::string bytes = three_records();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const std::size_t at = bit / 8;
    const Sequences rest = at < kRecordHead + 5       ? Sequences{8, 9}
                           : at < 2 * kRecordHead + 5 ? Sequences{7, 9}
                                                      : Sequences{7, 8};
    EXPECT_EQ(sequences(flipped), rest) << bit;
  }
}

TEST(Records, BytesInsideARecordNeverPassForOne) {
  std::string forged;
  append_record(forged, 0, {8, 1, 99, "forged"});
  std::string bytes;
  append_record(bytes, kSalt, {7, 1, 1, forged});
  append_record(bytes, kSalt, {8, 1, 1, "honest"});
  bytes[4] = static_cast<char>(bytes[4] ^ 1);
  EXPECT_EQ(sequences(bytes), Sequences{8});
  RecordReader reader(bytes, kSalt, 7);
  EXPECT_EQ(reader.next()->bytes, "honest");
  EXPECT_EQ(reader.damaged(), kRecordHead + forged.size());
}

TEST(Records, TheSearchBehindADamagedPlaceEnds) {
  // Each of these looks like a record of two megabytes until its checksum is made.
  std::string bytes;
  std::string head;
  append_record(head, 1, {7, 1, 1, std::string(100'000, 'x')});
  for (int i = 0; i < 20'000; ++i) bytes += head.substr(0, kRecordHead);
  bytes += std::string(100'000, 'x');
  EXPECT_EQ(sequences(bytes), Sequences{});
}

TEST(Headers, AreTakenWholeOrNotAtAll) {
  std::string bytes;
  append_header(bytes, FileHeader::kPlain, {5, 1700000000000, kSalt});
  ASSERT_EQ(bytes.size(), FileHeader::kBytes);
  const auto header = read_header(bytes, FileHeader::kPlain);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->first_sequence, 5u);
  EXPECT_EQ(header->created_ms, 1700000000000);
  EXPECT_EQ(header->salt, kSalt);
  EXPECT_FALSE(read_header(bytes, FileHeader::kSealed));
  EXPECT_FALSE(read_header(std::string_view(bytes).substr(0, 39), FileHeader::kPlain));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // The four spare bytes are covered too.
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 4);
    EXPECT_FALSE(read_header(flipped, FileHeader::kPlain)) << i;
  }
}

}  // namespace
}  // namespace lambent::store::segments
