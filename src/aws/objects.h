// Objects in buckets, read in a caller's name: for operations that take what they need "from S3".
//
// One for the process, owned by the composition root; any lane. Whether the caller may is asked of its own policies by whoever
// reads, before; what the bucket's owner says is S3's answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "aws/caller.h"
#include "base/task.h"

namespace lambent::aws {

struct ObjectName {
  std::string bucket;
  std::string key;
  /// Empty for the newest.
  std::string version;
};

/// How a reading ended. A value: each operation has its own words for it.
struct ObjectRead {
  enum class Kind {
    read,
    /// S3 said no; `code` and `message` are its words.
    refused,
    /// It has more bytes than were asked for.
    too_large,
    /// Others are reading as much as may be in memory at once: later, again.
    busy,
    /// No answer, or S3 failed; `message` says how, without secrets.
    unreachable,
  };
  Kind kind = Kind::read;
  std::string bytes;
  std::string code;
  std::string message;
  /// The bytes' part of what may be in memory: hold it as long as them.
  std::shared_ptr<const void> share;
};

class Objects {
 public:
  virtual ~Objects() = default;
  /// Ends within a minute; never throws but for what ends the process's use of memory.
  virtual base::Task<ObjectRead> read(Caller reader, ObjectName object, std::size_t max_bytes) = 0;
};

}  // namespace lambent::aws
