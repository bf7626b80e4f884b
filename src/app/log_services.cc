#include "app/log_services.h"

#include <fmt/format.h>

#include <iostream>

namespace lambent::app {
namespace {

class EnvironmentLog final : public invoke::LogStream {
 public:
  EnvironmentLog(std::unique_ptr<logs::FunctionLog> kept, std::string group, bool print)
      : kept_(std::move(kept)), group_(std::move(group)), print_(print) {}

  void write(std::string_view lines) override {
    kept_->write(lines);
    print(lines);
  }
  void write_record(std::string_view record) override {
    kept_->write_record(record);
    print(record);
  }
  void flush() override { kept_->flush(); }

 private:
  void print(std::string_view lines) const {
    if (!print_) return;
    std::string out;
    while (!lines.empty()) {
      const auto end = lines.find('\n');
      out += fmt::format("{} {}\n", group_, lines.substr(0, end));
      lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    }
    std::cout << out << std::flush;
  }

  std::unique_ptr<logs::FunctionLog> kept_;
  const std::string group_;
  const bool print_;
};

}  // namespace

LogServices::LogServices(LogServicesParts parts)
    : parts_(std::move(parts)),
      groups_(parts_.database),
      store_(parts_.directory, groups_, parts_.clock),
      logs_({store_, parts_.clock, parts_.cpu}),
      function_logs_(logs_, parts_.metrics) {}

bool LogServices::role_allows(const store::FunctionKey& function, const std::string& role_arn, std::string_view action,
                              std::string_view resource) const {
  if (!parts_.verify) return true;
  const auto role = parts_.identities.role_by_arn(role_arn);
  if (!role) return false;
  aws::Caller caller;
  caller.kind = aws::Principal::assumed_role;
  caller.account = role->account;
  caller.region = function.region;
  caller.identity_arn = role_arn;
  caller.arn = role_arn;
  caller.user_id = role->id + ":" + function.name;
  // "Lambda also injects the source function ARN" for what it asks of CloudWatch Logs on the function's behalf.
  caller.source_function = function.arn();
  caller.token_issued_ms = parts_.clock.now_ms();
  return parts_.authorizer.allowed(caller, action, resource);
}

base::Task<std::unique_ptr<invoke::LogStream>> LogServices::open(const store::FunctionVersion& function,
                                                                 std::string stream) {
  const std::string group = function.log_group;
  logs::FunctionLogTarget target;
  target.group = {function.key.account, function.key.region, group};
  target.stream = std::move(stream);
  target.allows = [this, key = function.key, role = function.role](std::string_view action, std::string_view resource) {
    return role_allows(key, role, action, resource);
  };
  auto kept = co_await function_logs_.open(std::move(target));
  co_return std::make_unique<EnvironmentLog>(std::move(kept), group, parts_.print);
}

}  // namespace lambent::app
