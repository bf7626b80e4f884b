// CloudWatch Logs put together: the groups' records, the segments, the service, and the logs of functions.
//
// Owned by the Composition, made after the database and the identities and before the engine, destroyed after it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "auth/authorizer.h"
#include "aws/service.h"
#include "base/clock.h"
#include "base/cpu_pool.h"
#include "base/metrics.h"
#include "invoke/log_stream.h"
#include "services/logs/function_logs.h"
#include "services/logs/logs.h"
#include "store/functions.h"
#include "store/identities.h"

namespace lambent::app {

/// All of it outlives the services.
struct LogServicesParts {
  std::filesystem::path directory;
  store::Database& database;
  const store::Identities& identities;
  const auth::Authorizer& authorizer;
  const base::Clock& clock;
  base::CpuPool& cpu;
  base::Metrics& metrics;
  /// With --auth=off roles are not asked.
  bool verify = true;
  /// Copies every line to standard output, after its group.
  bool print = false;
};

class LogServices {
 public:
  /// Throws std::system_error.
  explicit LogServices(LogServicesParts parts);
  LogServices(const LogServices&) = delete;

  const store::LogGroups& groups() const { return groups_; }
  aws::Service service() { return logs::logs_service(logs_); }
  /// The stream of an environment of this function; the group is there when it ends.
  base::Task<std::unique_ptr<invoke::LogStream>> open(const store::FunctionVersion& function, std::string stream);

 private:
  /// May the function's role do it, as Lambda would in its name?
  bool role_allows(const store::FunctionKey& function, const std::string& role_arn, std::string_view action,
                   std::string_view resource) const;

  LogServicesParts parts_;
  store::LogGroups groups_;
  store::LogStore store_;
  logs::Logs logs_;
  logs::FunctionLogs function_logs_;
};

}  // namespace lambent::app
