#include <boost/json.hpp>

#include "runtime_api/runtime_api_fixture.h"

namespace lambent::runtime_api {
namespace {

namespace json = boost::json;

class ExtensionsTest : public RuntimeApiTest {
 protected:
  static std::string request(std::string_view method, std::string_view action, std::string_view headers,
                             std::string_view body = "") {
    std::string text(method);
    text.append(" /2020-01-01/extension/").append(action).append(" HTTP/1.1\r\nHost: x\r\nContent-Length: ");
    return text.append(std::to_string(body.size())).append("\r\n").append(headers).append("\r\n").append(body);
  }
  static Reply enroll(Client& client, std::string_view name, std::string_view events, std::string_view more = "") {
    std::string headers = "Lambda-Extension-Name: ";
    headers.append(name).append("\r\n").append(more);
    client.send(request("POST", "register", headers, "{\"events\":" + std::string(events) + "}"));
    return client.read();
  }
  static void next(Client& client, const std::string& id) {
    client.send(request("GET", "event/next", "Lambda-Extension-Identifier: " + id + "\r\n"));
  }
  static Reply fail(Client& client, const std::string& id, std::string_view which, std::string_view type = "Mine") {
    std::string headers = "Lambda-Extension-Identifier: " + id + "\r\n";
    if (!type.empty()) headers.append("Lambda-Extension-Function-Error-Type: ").append(type).append("\r\n");
    client.send(request("POST", which, headers, "{}"));
    return client.read();
  }
  static std::string type_of(const Reply& reply) {
    return std::string(std::string_view(json::parse(reply.body).at("errorType").as_string()));
  }
  bool idle() {
    bool idle = false;
    on_lane([&] { idle = api_->idle(); });
    return idle;
  }
  bool becomes_idle() {
    for (int i = 0; i < kPatienceMs && !idle(); ++i) ::poll(nullptr, 0, 1);
    return idle();
  }
};

TEST_F(ExtensionsTest, InitAndInvocationsEndWhenEverybodyHasAskedForMore) {
  on_lane([&] { api_->start({"outer"}); });
  auto init = initialized();
  Client runtime(port_), outer(port_), inner(port_);
  const std::string outer_id = enroll(outer, "outer", R"(["INVOKE","SHUTDOWN"])").header("Lambda-Extension-Identifier");
  const std::string inner_id = enroll(inner, "inner", R"(["INVOKE"])").header("Lambda-Extension-Identifier");
  runtime.next();
  next(outer, outer_id);
  ::poll(nullptr, 0, 5);
  EXPECT_TRUE(pending(init));
  next(inner, inner_id);
  EXPECT_EQ(get(init), std::nullopt);

  auto answer = invoke("id-1");
  EXPECT_EQ(runtime.read().status, 200);
  const Reply event = outer.read();
  EXPECT_FALSE(event.header("Lambda-Extension-Event-Identifier").empty());
  const json::value told = json::parse(event.body);
  EXPECT_EQ(told.at("eventType"), "INVOKE");
  EXPECT_EQ(told.at("requestId"), "id-1");
  inner.read();
  runtime.post("invocation/id-1/response", "1");
  EXPECT_EQ(runtime.read().status, 202);
  EXPECT_EQ(get(answer).kind, Answer::Kind::response);
  runtime.next();
  next(inner, inner_id);
  ::poll(nullptr, 0, 5);
  EXPECT_FALSE(idle());
  next(outer, outer_id);
  EXPECT_TRUE(becomes_idle());

  on_lane([&] { api_->extensions().shut_down("spindown", 1234); });
  const json::value shutdown = json::parse(outer.read().body);
  EXPECT_EQ(shutdown.at("shutdownReason"), "spindown");
  EXPECT_EQ(shutdown.at("deadlineMs"), 1234);
  on_lane([&] {
    EXPECT_FALSE(api_->extensions().all_gone());
    api_->extensions().ended(0, 0, "exit code 0");
    EXPECT_TRUE(api_->extensions().all_gone());
    EXPECT_FALSE(api_->extensions().failure());
  });
}

TEST_F(ExtensionsTest, AnExternalOneThatEndsFailsInitAndInvocations) {
  struct Case {
    const char* report;
    const char* type;
  };
  for (const Case& each : {Case{"", "Extension.Crash"}, Case{"init/error", "Extension.InitError"},
                           Case{"exit/error", "Extension.ExitError"}}) {
    on_lane([&] { api_->start({"outer"}); });
    auto init = initialized();
    Client outer(port_);
    const std::string id = enroll(outer, "outer", "[]").header("Lambda-Extension-Identifier");
    if (*each.report != 0) {
      EXPECT_EQ(fail(outer, id, each.report).status, 202);
      // Everything is refused afterwards.
      next(outer, id);
      EXPECT_EQ(type_of(outer.read()), "Extension.InvalidExtensionState");
    }
    on_lane([&] { api_->extensions().ended(0, 3, "exit status 3"); });
    const std::optional<Answer> answer = get(init);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->kind, Answer::Kind::extension_failed);
    EXPECT_EQ(answer->error_type, each.type);
    EXPECT_EQ(answer->payload, "exit status 3");
    auto invoked = invoke("id");
    EXPECT_EQ(get(invoked).kind, Answer::Kind::extension_failed);
  }
}

TEST_F(ExtensionsTest, OneThatCannotBeExecutedIsALaunchError) {
  on_lane([&] {
    api_->start({"outer"});
    api_->extensions().ended(0, Extensions::kCannotExecute, "exit status 126");
    EXPECT_EQ(api_->extensions().failure()->type, "Extension.LaunchError");
    EXPECT_EQ(api_->extensions().reports().at(0).state, "LaunchError");
  });
}

TEST_F(ExtensionsTest, AnInternalOneFailsByItsReportAlone) {
  Client runtime(port_), inner(port_);
  const std::string id = enroll(inner, "inner", R"(["INVOKE"])").header("Lambda-Extension-Identifier");
  runtime.next();
  next(inner, id);
  auto answer = invoke("id-1");
  inner.read();
  EXPECT_EQ(fail(inner, id, "exit/error", "Odd").status, 202);
  const Answer said = get(answer);
  EXPECT_EQ(said.kind, Answer::Kind::extension_failed);
  EXPECT_EQ(said.error_type, "Extension.ExitError");
  EXPECT_EQ(said.payload, "Odd");
}

TEST_F(ExtensionsTest, AStartForgetsWhoWasThere) {
  Client inner(port_);
  const std::string id = enroll(inner, "inner", R"(["INVOKE"])").header("Lambda-Extension-Identifier");
  next(inner, id);
  on_lane([&] {
    api_->close();
    api_->start({});
    EXPECT_TRUE(api_->extensions().none());
  });
  EXPECT_TRUE(inner.at_end());
  Client again(port_);
  next(again, id);
  EXPECT_EQ(type_of(again.read()), "Extension.UnknownExtensionIdentifier");
  // The runtime is served as if it had just been born.
  again.next();
  auto answer = invoke("id-9");
  EXPECT_EQ(again.read().header("Lambda-Runtime-Aws-Request-Id"), "id-9");
}

TEST_F(ExtensionsTest, RegistrationsAreCheckedAndBounded) {
  on_lane([&] { api_->start({"outer"}); });
  Client client(port_);
  EXPECT_EQ(type_of(enroll(client, "", "[]")), "Extension.InvalidExtensionName");
  EXPECT_EQ(type_of(enroll(client, std::string(300, 'n'), "[]")), "Extension.InvalidExtensionName");
  EXPECT_EQ(type_of(enroll(client, "x", "7")), "InvalidRequestFormat");
  EXPECT_EQ(type_of(enroll(client, "x", R"(["NAP"])")), "Extension.InvalidEventType");
  EXPECT_EQ(type_of(enroll(client, "x", R"(["SHUTDOWN"])")), "Extension.InvalidEventType");
  EXPECT_EQ(enroll(client, "outer", R"(["SHUTDOWN"])").status, 200);
  EXPECT_EQ(type_of(enroll(client, "outer", "[]")), "Extension.InvalidExtensionState");
  for (int i = 0; i < 9; ++i) EXPECT_EQ(enroll(client, "inner" + std::to_string(i), "[]").status, 200);
  EXPECT_EQ(type_of(enroll(client, "inner9", "[]")), "Extension.TooManyExtensions");
  on_lane([&] { api_->extensions().close_registration(); });
  EXPECT_EQ(type_of(enroll(client, "late", "[]")), "Extension.RegistrationClosed");
}

}  // namespace
}  // namespace lambent::runtime_api
