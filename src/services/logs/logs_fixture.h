// CloudWatch Logs as a client meets it, without the network: json 1.1 in and out, over stores of its own. For tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>

#include "services/logs/logs.h"
#include "store/migrations.h"
#include "store/segments/directory_fixture.h"

namespace lambent::logs {

namespace asio = base::asio;

class LogsTest : public ::testing::Test {
 protected:
  struct Answer {
    int status = 0;
    std::string code;
    std::string message;
    boost::json::value body;
    const boost::json::object& object() const { return body.as_object(); }
    std::string text(std::string_view member) const { return std::string(object().at(member).as_string()); }
    /// "member" of each element of the list.
    std::vector<std::string> each(std::string_view list, std::string_view member) const {
      std::vector<std::string> found;
      for (const auto& element : object().at(list).as_array())
        found.emplace_back(element.as_object().at(member).as_string());
      return found;
    }
  };

  LogsTest()
      : database_(directory_.path() / "records.db", store::migrations()),
        groups_(database_),
        store_(directory_.path() / "logs", groups_, clock_),
        logs_({store_, clock_, cpu_}),
        service_(logs_service(logs_)) {}
  ~LogsTest() override { database_.flush(); }

  static aws::Caller caller(const std::string& account = "123456789012", const std::string& region = "us-east-1") {
    aws::Caller caller;
    caller.account = account;
    caller.region = region;
    return caller;
  }
  static base::http::Request request(const std::string& operation, const std::string& body) {
    base::http::Request request;
    request.method = "POST";
    request.path = "/";
    request.headers.add("X-Amz-Target", "Logs_20140328." + operation);
    request.body = body;
    return request;
  }
  template <class T>
  T run(base::Task<T> task) {
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.restart();
    lane_.run();
    return result.get();
  }

  Answer call(const std::string& operation, const std::string& body, const aws::Caller& as = caller()) {
    const auto sent = request(operation, body);
    base::http::Response response;
    try {
      const auto match = service_.match(sent);
      auto input = service_.decode(match, sent);
      const aws::Value output = run(service_.call(match, as, std::move(input)));
      response = service_.encode(match, output.get(), "request-1");
    } catch (const aws::Error& error) {
      response = service_.encode_error(error, "request-1");
    }
    Answer answer;
    answer.status = response.status;
    if (response.body.empty()) return answer;
    answer.body = boost::json::parse(response.body);
    if (response.status == 200) return answer;
    answer.code = answer.text("__type");
    answer.message = answer.text("message");
    return answer;
  }
  Answer must(const std::string& operation, const std::string& body) {
    Answer answer = call(operation, body);
    EXPECT_EQ(answer.status, 200) << operation << ": " << answer.message;
    return answer;
  }
  std::string resource(const std::string& operation, const std::string& body) {
    const auto sent = request(operation, body);
    const auto match = service_.match(sent);
    const auto input = service_.decode(match, sent);
    return service_.row(match).resource(caller(), input.get());
  }
  void make_stream() {
    must("CreateLogGroup", R"({"logGroupName":"g"})");
    must("CreateLogStream", R"({"logGroupName":"g","logStreamName":"s"})");
  }
  /// One batch into the stream "s" of "g": messages a millisecond apart from `at` on.
  Answer put(std::int64_t at, const std::vector<std::string>& messages, const std::string& stream = "s") {
    boost::json::array events;
    for (const std::string& message : messages) events.push_back({{"timestamp", at++}, {"message", message}});
    return call("PutLogEvents", boost::json::serialize(boost::json::value{
                                    {"logGroupName", "g"}, {"logStreamName", stream}, {"logEvents", events}}));
  }
  std::int64_t now() const { return clock_.now_ms(); }

  asio::io_context lane_{1};
  store::segments::TestDirectory directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000000))};
  base::CpuPool cpu_{1};
  store::Database database_;
  store::LogGroups groups_;
  store::LogStore store_;
  Logs logs_;
  aws::Service service_;
};

#define EXPECT_REFUSED(answer_, code_, message_) \
  do {                                           \
    const auto refused_ = (answer_);             \
    EXPECT_EQ(refused_.status, 400);             \
    EXPECT_EQ(refused_.code, code_);             \
    EXPECT_EQ(refused_.message, message_);       \
  } while (false)

}  // namespace lambent::logs
