// CloudWatch Logs, first part: groups, streams, events, retention, tags.
//
// Groups are rows (store::LogGroups), streams and events lie in segments (store::LogStore). What functions print comes in by
// function_logs.h. Owned by the composition root; operations run on any lane and touch files on the CPU pool.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "aws/caller.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/cpu_pool.h"
#include "store/logs/log_store.h"

namespace lambent::logs {

/// All of it outlives the service.
struct LogsParts {
  store::LogStore& store;
  const base::Clock& clock;
  base::CpuPool& cpu;
};

class Logs {
 public:
  explicit Logs(LogsParts parts) : parts_(parts) {}
  Logs(const Logs&) = delete;

  store::LogStore& store() { return parts_.store; }
  store::LogGroups& groups() { return parts_.store.groups(); }
  const base::Clock& clock() const { return parts_.clock; }
  base::CpuPool& cpu() { return parts_.cpu; }

  /// Throws ResourceNotFoundException.
  store::LogGroupSnapshot existing(const aws::Caller& caller, const std::string& name);
  /// Opened on the CPU pool.
  base::Task<std::shared_ptr<store::GroupLog>> open(store::LogGroupSnapshot group);

 private:
  LogsParts parts_;
};

/// The table of the service's operations (service.cc), bound to `logs`, which must outlive it.
aws::Service logs_service(Logs& logs);

}  // namespace lambent::logs
