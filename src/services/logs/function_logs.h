// What execution environments and the platform write about them, as events in the functions' log groups.
//
// One FunctionLog an environment, on its lane. Lines gather in memory and go to the file in one append: at flush(), which
// the environment calls before the outcome of an invocation is answered, else after kHold, or when kHeldBytes have gathered.
// As on AWS the function's role must allow it: logs:CreateLogGroup when the group is missing, logs:CreateLogStream and
// logs:PutLogEvents. Without, or when the disk takes no more, the lines are dropped and counted, never held.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/task.h"
#include "services/logs/logs.h"

namespace lambent::logs {

/// The stream of one environment.
struct FunctionLogTarget {
  store::LogGroupKey group;
  std::string stream;
  /// May the function's role do this to that ARN? Asked again every few seconds: policies are attached after functions are made.
  std::function<bool(std::string_view action, std::string_view resource)> allows;
};

class FunctionLog {
 public:
  static constexpr std::chrono::milliseconds kHold{200};
  static constexpr std::size_t kHeldBytes = 256 * 1024;

  /// Flushes.
  ~FunctionLog();
  FunctionLog(const FunctionLog&) = delete;

  /// Whole lines; each is an event, stamped with the time of this call.
  void write(std::string_view lines);
  /// One event of several lines perhaps, without a newline at its end.
  void write_record(std::string_view record);
  /// What was written is with the kernel when this returns, unless it was dropped.
  void flush();

 private:
  friend class FunctionLogs;
  struct State;
  explicit FunctionLog(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

class FunctionLogs {
 public:
  /// All must outlive this, and this every FunctionLog.
  FunctionLogs(Logs& logs, base::Metrics& metrics);

  /// Makes the group when it is missing. On the environment's lane.
  base::Task<std::unique_ptr<FunctionLog>> open(FunctionLogTarget target);

 private:
  Logs& logs_;
  base::Family<base::Counter>& kept_;
  base::Family<base::Counter>& dropped_;
};

}  // namespace lambent::logs
