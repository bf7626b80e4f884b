#include "services/logs/function_logs.h"

#include "services/logs/logs_fixture.h"

namespace lambent::logs {
namespace {

class FunctionLogsTest : public LogsTest {
 protected:
  std::unique_ptr<FunctionLog> open(std::function<bool(std::string_view, std::string_view)> allows) {
    return run(function_logs_.open({{"123456789012", "us-east-1", "g"}, "s", std::move(allows)}));
  }
  std::unique_ptr<FunctionLog> open() {
    return open([](std::string_view, std::string_view) { return true; });
  }
  std::vector<std::string> messages() {
    const Answer answer = call("FilterLogEvents", R"({"logGroupName":"g"})");
    return answer.status == 200 ? answer.each("events", "message") : std::vector<std::string>{answer.message};
  }
  std::uint64_t dropped(const std::string& reason) {
    const std::string text = metrics_.text();
    const std::string name = "lambent_log_events_dropped_total{reason=\"" + reason + "\"} ";
    const auto at = text.find(name);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size()));
  }

  base::Metrics metrics_;
  FunctionLogs function_logs_{logs_, metrics_};
};

using Messages = std::vector<std::string>;

TEST_F(FunctionLogsTest, EachLineIsAnEventWithTheTimeItWasSeen) {
  const auto log = open();
  log->write("one\ntwo\rof two\n");
  clock_.advance(std::chrono::milliseconds(7));
  log->write("three\n");
  EXPECT_EQ(messages(), Messages{}) << "held until flush()";
  log->flush();
  EXPECT_EQ(messages(), (Messages{"one\n", "two\rof two\n", "three\n"}));
  const Answer answer = must("FilterLogEvents", R"({"logGroupName":"g"})");
  const auto& events = answer.object().at("events").as_array();
  EXPECT_EQ(events[0].at("timestamp"), 1700000000000);
  EXPECT_EQ(events[2].at("timestamp"), 1700000000007);
  EXPECT_EQ(events[2].at("ingestionTime"), 1700000000007);
  EXPECT_EQ(events[2].at("logStreamName"), "s");
}

TEST_F(FunctionLogsTest, WhatGathersIsWrittenWithoutAFlush) {
  const auto log = open();
  log->write("held back\n");
  lane_.restart();
  lane_.run();
  EXPECT_EQ(messages(), Messages{"held back\n"}) << "after a while";
  log->write(std::string(FunctionLog::kHeldBytes, 'x') + "\n");
  EXPECT_EQ(messages().size(), 2u) << "when it is much";
}

TEST_F(FunctionLogsTest, TheRoleMustAllowIt) {
  std::vector<std::string> asked;
  bool allowed = false;
  const auto log = open([&](std::string_view action, std::string_view resource) {
    asked.push_back(std::string(action) + " " + std::string(resource));
    return allowed;
  });
  log->write("lost\n");
  log->flush();
  EXPECT_EQ(messages(), Messages{"The specified log group does not exist."});
  EXPECT_EQ(dropped("role"), 1u);
  EXPECT_EQ(asked, Messages{"logs:CreateLogStream arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s"});
  allowed = true;
  log->write("lost too: nobody asks each time\n");
  log->flush();
  EXPECT_EQ(dropped("role"), 2u);
  clock_.advance(std::chrono::seconds(6));
  log->write("kept\n");
  log->flush();
  lane_.restart();
  lane_.run();
  EXPECT_EQ(messages(), Messages{"kept\n"});
}

TEST_F(FunctionLogsTest, WithoutTheRightToMakeGroupsAnExistingOneIsUsed) {
  const auto log = open([](std::string_view action, std::string_view) { return action != "logs:CreateLogGroup"; });
  log->write("lost\n");
  log->flush();
  lane_.restart();
  lane_.run();
  EXPECT_EQ(dropped("group"), 1u);
  must("CreateLogGroup", R"({"logGroupName":"g"})");
  clock_.advance(std::chrono::seconds(6));
  log->write("kept\n");
  log->flush();
  lane_.restart();
  lane_.run();
  EXPECT_EQ(messages(), Messages{"kept\n"});
}

TEST_F(FunctionLogsTest, AGroupThatIsDeletedIsMadeAgain) {
  const auto log = open();
  log->write("before\n");
  log->flush();
  must("DeleteLogGroup", R"({"logGroupName":"g"})");
  log->write("after\n");
  log->flush();
  lane_.restart();
  lane_.run();
  EXPECT_EQ(messages(), Messages{"after\n"});
  EXPECT_EQ(dropped("group"), 0u);
}

TEST_F(FunctionLogsTest, TheEndOfAnEnvironmentKeepsWhatItHeld) {
  open()->write("last words\n");
  EXPECT_EQ(messages(), Messages{"last words\n"});
}

}  // namespace
}  // namespace lambent::logs
