#include "runtime_api/subscription.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace lambent::runtime_api {
namespace {

std::string with(const std::string& members, bool logs = false) {
  std::string wrong;
  read_subscription("{" + members + "}", logs, wrong);
  return wrong;
}

const std::string kTypes = R"("schemaVersion":"2022-07-01","types":["platform","function","extension"],)";
const std::string kHttp = R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/x"})";

TEST(Subscription, ReadsDestinationTypesAndBuffering) {
  std::string wrong;
  const Subscription found = read_subscription(
      "{" + kTypes + kHttp + R"(,"buffering":{"maxItems":2000,"maxBytes":300000,"timeoutMs":100}})", false, wrong);
  EXPECT_EQ(wrong, "");
  EXPECT_TRUE(found.http);
  EXPECT_EQ(found.port, 8080);
  EXPECT_EQ(found.path, "/x");
  EXPECT_EQ(found.max_items, 2000u);
  EXPECT_EQ(found.max_bytes, 300'000u);
  EXPECT_EQ(found.timeout, std::chrono::milliseconds(100));
  EXPECT_TRUE(found.wants("extension"));
}

TEST(Subscription, BothApisHaveTheSameDefaults) {
  for (const bool logs : {false, true}) {
    for (const char* buffering :
         {"", R"(,"buffering":{})", R"(,"buffering":null)", R"(,"buffering":{"maxItems":null})"}) {
      std::string wrong;
      const std::string body = "{" + (logs ? R"("types":["function"],)" : kTypes) + kHttp + buffering + "}";
      const Subscription found = read_subscription(body, logs, wrong);
      EXPECT_EQ(wrong, "");
      EXPECT_EQ(found.max_items, 10'000u) << logs << buffering;
      EXPECT_EQ(found.max_bytes, 262'144u) << logs << buffering;
      EXPECT_EQ(found.timeout, std::chrono::milliseconds(1000)) << logs << buffering;
      EXPECT_EQ(found.method, "POST");
    }
  }
}

TEST(Subscription, TakesAPortInsteadOfAnAddressForTcp) {
  std::string wrong;
  const Subscription found =
      read_subscription(R"({"types":["function"],"destination":{"protocol":"TCP","port":9000}})", true, wrong);
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(found.port, 9000);
  EXPECT_FALSE(found.http);
}

TEST(Subscription, BuffersWithinBounds) {
  struct Limit {
    std::string name;
    std::int64_t least, most;
  };
  for (const Limit& limit :
       {Limit{"maxItems", 1'000, 10'000}, Limit{"maxBytes", 262'144, 1'048'576}, Limit{"timeoutMs", 25, 30'000}}) {
    const std::string refusal = "buffering." + limit.name + " should be between " + std::to_string(limit.least) +
                                " and " + std::to_string(limit.most);
    for (const bool logs : {false, true}) {
      const auto said = [&](const std::string& value) {
        const std::string types = logs ? R"("types":["function"],)" : kTypes;
        return with(types + kHttp + R"(,"buffering":{")" + limit.name + "\":" + value + "}", logs);
      };
      EXPECT_EQ(said(std::to_string(limit.least)), "");
      EXPECT_EQ(said(std::to_string(limit.most)), "");
      for (const std::string& value :
           {std::to_string(limit.least - 1), std::to_string(limit.most + 1), std::string("-1"), std::string("1e30"),
            std::string("1000.5"), std::string("\"1000\""), std::string("18446744073709551615")})
        EXPECT_EQ(said(value), refusal) << value;
    }
  }
  EXPECT_EQ(with(kTypes + kHttp + R"(,"buffering":[1000])"), "buffering should be an object");
}

TEST(Subscription, IsDeliveredByTheMethodOfItsChoice) {
  const std::string address = R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/x",)";
  std::string wrong;
  const Subscription put =
      read_subscription("{" + kTypes + address + R"("method":"PUT","encoding":"JSON"}})", false, wrong);
  EXPECT_EQ(wrong, "");
  EXPECT_TRUE(put.framed({"{}"}).starts_with("PUT /x HTTP/1.1\r\n"));
  EXPECT_EQ(with(kTypes + address + R"("method":"DELETE","encoding":"XML"})"),
            "method should be POST or PUT; encoding should be JSON");
}

TEST(Subscription, SaysAllThatIsWrong) {
  EXPECT_EQ(with(""), "schemaVersion is not valid; types should not be empty; destination should not be empty");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"UDP"})"), "protocol should be HTTP or TCP");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain"})"),
            "URI port is not provided");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"HTTP","URI":"http://169.254.169.254:80"})"),
            "URI host should be sandbox.localdomain");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:99999"})"),
            "URI port is not valid");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:81/a b"})"),
            "URI path is not valid");
  EXPECT_EQ(with(kTypes + R"("destination":{"protocol":"TCP","port":9001})"), "port is reserved");
  EXPECT_EQ(with(kTypes + kHttp + R"(,"buffering":{"maxItems":1,"timeoutMs":1})"),
            "buffering.maxItems should be between 1000 and 10000; buffering.timeoutMs should be between 25 and 30000");
}

TEST(Subscription, FramesEventsForItsProtocol) {
  Subscription http;
  http.host = "sandbox.localdomain:1";
  EXPECT_TRUE(http.framed({"{}", "{}"}).ends_with("\r\nContent-Length: 7\r\nConnection: close\r\n\r\n[{},{}]"));
  Subscription tcp;
  tcp.http = false;
  EXPECT_EQ(tcp.framed({"{}", "{}"}), "{}\n{}\n");
}

TEST(Subscription, WritesNumbersAsPeopleDo) {
  const boost::json::value record{{"a", 2.345}, {"b", {1, 2.5, "x\"y"}}, {"c", boost::json::object{}}, {"d", nullptr}};
  EXPECT_EQ(event_text("t", "k", record),
            R"({"time":"t","type":"k","record":{"a":2.345,"b":[1,2.5,"x\"y"],"c":{},"d":null}})");
}

}  // namespace
}  // namespace lambent::runtime_api
