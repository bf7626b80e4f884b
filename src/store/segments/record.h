// The form of one record and of the files that records stand in.
//
// A file begins with a header that names its first sequence number and a random salt; records follow without gaps. Each has
// a checksum over everything it holds, begun with the salt: who writes a record's bytes cannot know it, so bytes inside a
// record never pass for a record when a reader looks for the next good one behind a damaged place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lambent::store::segments {

struct Record {
  /// Rises from record to record of a journal, by one unless records were lost.
  std::uint64_t sequence = 0;
  /// What the record is found by; the caller's, in no particular order.
  std::int64_t time_ms = 0;
  /// Whose it is: of one journal's many streams.
  std::uint32_t key = 0;
  std::string_view bytes;
};

struct FileHeader {
  static constexpr std::size_t kBytes = 40;
  static constexpr std::string_view kPlain = "LMBSEG01";
  static constexpr std::string_view kSealed = "LMBSGZ01";

  std::uint64_t first_sequence = 0;
  std::int64_t created_ms = 0;
  std::uint64_t salt = 0;
};

void append_header(std::string& out, std::string_view magic, const FileHeader& header);
/// Nothing when it is not a whole header of that magic.
std::optional<FileHeader> read_header(std::string_view bytes, std::string_view magic);

constexpr std::size_t kRecordHead = 28;
/// Of a record's bytes.
constexpr std::size_t kLongestRecord = 2 << 20;

/// The record's bytes are `prefix`, then record.bytes.
void append_record(std::string& out, std::uint64_t salt, const Record& record, std::string_view prefix = {});

/// Walks the records of a file's bytes behind its header.
class RecordReader {
 public:
  /// `bytes` must outlive the reader and what it returns.
  RecordReader(std::string_view bytes, std::uint64_t salt, std::uint64_t first_sequence)
      : bytes_(bytes), salt_(salt), next_sequence_(first_sequence) {}

  /// The next good record; what lies before it and is none is passed over and counted. Nothing at the end, and when the
  /// search behind a damaged place has cost too much.
  std::optional<Record> next();
  /// Where the last record returned begins, and where it ends: after the last one all that follows is a torn tail.
  std::size_t begin() const { return begin_; }
  std::size_t end() const { return end_; }
  /// Bytes that were passed over between good records.
  std::size_t damaged() const { return damaged_; }

 private:
  /// Records that look like one, behind a damaged place, cost a checksum each; whoever wrote them could make it millions.
  static constexpr std::size_t kSearchBytes = 64 << 20;

  std::optional<Record> at(std::size_t offset);

  std::string_view bytes_;
  std::uint64_t salt_;
  std::uint64_t next_sequence_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t damaged_ = 0;
  std::size_t searched_ = 0;
};

}  // namespace lambent::store::segments
