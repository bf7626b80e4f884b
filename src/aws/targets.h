// The one door between services: something of an account delivers bytes to what an ARN names (a queue, a topic, a bus, a bucket,
// a function), on behalf of a role, whose rights are checked here and nowhere else.
//
// A service that is part of this process is called directly, another at its configured endpoint. One for the process, owned by
// the composition root; any lane.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/task.h"

namespace lambent::aws {

/// Who delivers: the role whose policies must allow it, and what does it in the role's name.
struct Sender {
  std::string role_arn;
  /// The ARN of the function, rule or topic that delivers: aws:SourceArn.
  std::string source_arn;
  std::string account;
  std::string region;
};

struct MessageAttribute {
  /// "String" or "Number".
  std::string type;
  std::string value;
};

struct Delivery {
  Sender sender;
  /// The queue, topic, bus, bucket or function.
  std::string target_arn;
  /// The message's body; an object's content; an event's detail; a function's event.
  std::string body;
  /// SQS and SNS.
  std::map<std::string, MessageAttribute> attributes;
  /// X-Amzn-Trace-Id: SQS carries it as the system attribute AWSTraceHeader, a function gets it with its event.
  std::string trace_header;
  /// EventBridge: the entry's Source, DetailType and second resource (after the bus).
  std::string source;
  std::string detail_type;
  std::string resource;
  /// S3: the object's key.
  std::string key;
};

/// How a delivery ended. A value: whoever delivers decides what comes of it.
struct DeliveryOutcome {
  enum class Kind {
    delivered,
    /// Another try may go better: the target could not be reached or was busy.
    unavailable,
    /// The target said no, or the role may not: another try helps only after somebody changed something.
    refused,
  };
  Kind kind = Kind::delivered;
  /// For the log, without secrets.
  std::string reason;
};

class Targets {
 public:
  virtual ~Targets() = default;
  /// Ends within the target's time limit; never throws but for what ends the process's use of memory.
  virtual base::Task<DeliveryOutcome> deliver(Delivery delivery) = 0;
  /// Whether deliver() has a way to such a target: nothing when it has, else why not, in words for the user.
  virtual std::string why_unreachable(std::string_view target_arn) const = 0;
  /// Whether the sender's role may deliver to the target: nothing when it may, else the action that it lacks ("sqs:SendMessage").
  virtual std::string lacking_permission(const Sender& sender, std::string_view target_arn) const = 0;
};

}  // namespace lambent::aws
