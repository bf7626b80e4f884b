// Function URLs: their configuration, the event that a request becomes, the response that an answer becomes.
#include "services/lambda/function_url.h"

#include <re2/re2.h>

#include "base/bytes.h"
#include "services/lambda/cors.h"
#include "services/lambda/service_fixture.h"
#include "services/lambda/url_event.h"
#include "services/lambda/url_response.h"

namespace lambent::lambda {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using testing::kArn;
using testing::ServiceFixture;
using testing::json::object;
using testing::json::value;
namespace json = testing::json;

class FunctionUrls : public ServiceFixture {
 protected:
  FunctionUrls() {
    EXPECT_EQ(create("f").status, 201);
    EXPECT_EQ(send("POST", functions_path("/f/versions"), "{}").text("Version"), "1");
    EXPECT_EQ(send("POST", functions_path("/f/aliases"), R"({"Name":"live","FunctionVersion":"1"})").status, 201);
  }
  Answer put(const object& body, const std::string& rest = "f/url") {
    return send("POST", "/2021-10-31/functions/" + rest, json::serialize(body));
  }
  Answer ask(const std::string& method, const std::string& rest, const std::string& body = "") {
    return send(method, "/2021-10-31/functions/" + rest, body);
  }
  static std::string said(const Answer& answer) {
    return std::to_string(answer.status) + " " + answer.code() + ": " + answer.message();
  }
  /// What a client of the URL gets; `whole_` is whether it ended properly.
  base::http::Response visit(base::http::Request request, const std::string& rest = "f/url") {
    const auto url = ask("GET", rest).text("FunctionUrl");
    const auto host = url.substr(7, url.size() - 8);
    request.headers.add("Host", host);
    if (request.method.empty()) request.method = "GET";
    if (request.path.empty()) request.path = "/";
    auto verify = [this]() -> aws::Caller {
      if (!signed_) throw aws::Error("MissingAuthenticationTokenException", "Missing Authentication Token", 403);
      return caller_;
    };
    auto task = visit_whole(request, function_url_id(host).value_or(""), verify);
    return run(std::move(task));
  }
  base::Task<base::http::Response> visit_whole(const base::http::Request& request, std::string id,
                                               std::function<aws::Caller()> verify) {
    auto task = answer_function_url(*lambda_, request, std::move(id), "request-7", std::move(verify));
    auto answer = co_await std::move(task);
    whole_ = true;
    try {
      while (answer.body) {
        auto part = co_await answer.body->next();
        if (!part) break;
        answer.response.body += *part;
      }
    } catch (const std::exception&) {
      whole_ = false;
    }
    co_return std::move(answer.response);
  }
  /// A URL of InvokeMode RESPONSE_STREAM whose function writes these parts.
  void stream(std::string type, std::vector<std::string> parts) {
    if (ask("GET", "f/url").status == 404) {
      ASSERT_EQ(put({{"AuthType", "NONE"}, {"InvokeMode", "RESPONSE_STREAM"}}).status, 201);
      allow_everybody();
    }
    engine_.outcome.payload.clear();
    engine_.streams = [type = std::move(type),
                       parts = std::move(parts)](runtime_api::ResponseSink& sink) -> base::Task<void> {
      sink.begin(type);
      for (const auto& part : parts) co_await sink.write(part);
    };
  }
  void allow_everybody(const std::string& rest = "f/policy") {
    for (const char* action : {"InvokeFunctionUrl", "InvokeFunction"}) {
      object body{{"StatementId", action}, {"Action", std::string("lambda:") + action}, {"Principal", "*"}};
      EXPECT_EQ(send("POST", functions_path("/" + rest), json::serialize(body)).status, 201);
    }
  }
  bool signed_ = false;
  bool whole_ = false;
};

TEST_F(FunctionUrls, AreMadeReadChangedListedAndDeleted) {
  const auto made = put({{"AuthType", "NONE"}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.resource, std::string(kArn) + "f");
  EXPECT_EQ(made.text("FunctionArn"), std::string(kArn) + "f");
  EXPECT_EQ(made.text("CreationTime"), "2026-01-31T12:34:56.789Z");
  EXPECT_EQ(made.text("InvokeMode"), "(absent)");
  EXPECT_TRUE(
      re2::RE2::FullMatch(made.text("FunctionUrl"), R"(http://[a-z0-9]{32}\.lambda-url\.us-east-1\.localhost:4566/)"))
      << made.text("FunctionUrl");
  const auto got = ask("GET", "f/url");
  EXPECT_EQ(got.text("FunctionUrl"), made.text("FunctionUrl"));
  EXPECT_EQ(got.text("InvokeMode"), "BUFFERED");
  EXPECT_EQ(got.text("LastModifiedTime"), "2026-01-31T12:34:56.789Z");
  EXPECT_FALSE(got.object().contains("Cors"));
  ASSERT_EQ(put({{"AuthType", "AWS_IAM"}}, "f/url?Qualifier=live").status, 201);
  const auto changed = ask("PUT", "f/url", R"({"AuthType":"AWS_IAM","Cors":{"AllowOrigins":["*"],"MaxAge":0}})");
  EXPECT_EQ(changed.text("AuthType"), "AWS_IAM");
  open();
  EXPECT_EQ(json::serialize(ask("GET", "f/url").object().at("Cors")), R"({"AllowOrigins":["*"],"MaxAge":0})");
  EXPECT_EQ(ask("GET", "f/url").text("FunctionUrl"), made.text("FunctionUrl"));
  const auto urls = ask("GET", "f/urls?MaxItems=1");
  EXPECT_EQ(urls.object().at("FunctionUrlConfigs").as_array().front().at("FunctionArn"),
            value(std::string(kArn) + "f"));
  const auto rest = ask("GET", "f/urls?Marker=" + urls.text("NextMarker"));
  EXPECT_EQ(rest.object().at("FunctionUrlConfigs").as_array().front().at("FunctionArn"),
            value(std::string(kArn) + "f:live"));
  EXPECT_EQ(ask("DELETE", "f/url").status, 204);
  EXPECT_EQ(said(ask("DELETE", "f/url")), "404 ResourceNotFoundException: The resource you requested does not exist.");
  EXPECT_EQ(ask("GET", "f/url?Qualifier=live").status, 200);
}

TEST_F(FunctionUrls, AreRefusedInAwssWords) {
  ASSERT_EQ(put({{"AuthType", "NONE"}}).status, 201);
  EXPECT_EQ(said(put({{"AuthType", "NONE"}})),
            std::string("409 ResourceConflictException: Failed to create function url config for [functionArn = ") +
                kArn + "f]. Error message:  FunctionUrlConfig exists for this Lambda function");
  EXPECT_EQ(said(put({{"AuthType", "NONE"}}, "none/url")), "404 ResourceNotFoundException: Function does not exist");
  EXPECT_EQ(said(put({{"AuthType", "NONE"}}, "f/url?Qualifier=none")),
            "404 ResourceNotFoundException: Function does not exist");
  EXPECT_EQ(put({{"AuthType", "NONE"}}, "f/url?Qualifier=1").code(), "ValidationException");
  EXPECT_EQ(put({{"AuthType", "OPEN"}}, "f/url?Qualifier=live").code(), "ValidationException");
  EXPECT_EQ(put({{"AuthType", "NONE"}, {"InvokeMode", "STREAM"}}, "f/url?Qualifier=live").code(),
            "ValidationException");
  EXPECT_EQ(said(ask("GET", "f/url?Qualifier=live")),
            "404 ResourceNotFoundException: The resource you requested does not exist.");
  EXPECT_EQ(said(ask("PUT", "none/url", "{}")), "404 ResourceNotFoundException: Function does not exist");
  EXPECT_EQ(said(ask("GET", "none/urls")), "404 ResourceNotFoundException: Function does not exist");
}

TEST_F(FunctionUrls, GoWithTheirFunctionAndTheirAlias) {
  ASSERT_EQ(put({{"AuthType", "NONE"}}).status, 201);
  ASSERT_EQ(put({{"AuthType", "NONE"}}, "f/url?Qualifier=live").status, 201);
  const auto own = urls_->find({testing::kAccount, "us-east-1", "f"}, "")->url_id;
  const auto alias = urls_->find({testing::kAccount, "us-east-1", "f"}, "live")->url_id;
  ASSERT_EQ(send("DELETE", functions_path("/f/aliases/live")).status, 204);
  EXPECT_EQ(urls_->by_id(alias), nullptr);
  ASSERT_EQ(send("DELETE", functions_path("/f")).status, 204);
  EXPECT_EQ(urls_->by_id(own), nullptr);
  open();
  EXPECT_EQ(urls_->by_id(own), nullptr);
  ASSERT_EQ(create("f").status, 201);
  EXPECT_EQ(ask("GET", "f/url").status, 404);
}

TEST_F(FunctionUrls, WithoutAPolicyNobodyGetsIn) {
  ASSERT_EQ(put({{"AuthType", "NONE"}}).status, 201);
  const auto refused = visit({});
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body, R"({"Message":"Forbidden"})");
  EXPECT_THAT(engine_.invocations, ::testing::IsEmpty());
  allow_everybody();
  url_asked_.clear();
  EXPECT_EQ(visit({}).status, 200);
  EXPECT_THAT(url_asked_, ElementsAre("lambda:InvokeFunctionUrl by nobody with lambda:functionurlauthtype=NONE",
                                      "lambda:InvokeFunction by nobody with lambda:invokedviafunctionurl=true"));
}

TEST_F(FunctionUrls, OfAwsIamAskWhoItIs) {
  ASSERT_EQ(put({{"AuthType", "AWS_IAM"}}).status, 201);
  allow_everybody();
  EXPECT_EQ(visit({}).status, 403);
  signed_ = true;
  EXPECT_EQ(visit({}).status, 200);
  const auto event = json::parse(engine_.invocations.back().payload);
  EXPECT_EQ(event.at("requestContext").at("authorizer").at("iam").at("userArn"), value(caller_.arn));
  EXPECT_EQ(event.at("requestContext").at("accountId"), value(caller_.account));
}

TEST_F(FunctionUrls, InvokeTheirAlias) {
  ASSERT_EQ(put({{"AuthType", "NONE"}}, "f/url?Qualifier=live").status, 201);
  allow_everybody("f:live/policy");
  engine_.outcome.payload = R"({"statusCode":201,"headers":{"X-Made":"yes"},"cookies":["a=1","b=2"],"body":"made"})";
  const auto answer = visit({}, "f/url?Qualifier=live");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "made");
  EXPECT_EQ(answer.headers.get("X-Made"), "yes");
  EXPECT_EQ(answer.headers.count("Set-Cookie"), 2u);
  EXPECT_EQ(answer.headers.get("x-amzn-RequestId"), "request-7");
  EXPECT_EQ(engine_.invocations.back().function->version, "1");
  EXPECT_EQ(engine_.invocations.back().invoked_function_arn, std::string(kArn) + "f:live");
  engine_.outcome.function_error = "Unhandled";
  const auto failed = visit({}, "f/url?Qualifier=live");
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(failed.body, "Internal Server Error");
}

TEST_F(FunctionUrls, AnswerPreflightsThemselves) {
  ASSERT_EQ(put({{"AuthType", "NONE"},
                 {"Cors", object{{"AllowOrigins", json::array{"https://a.example"}},
                                 {"AllowMethods", json::array{"GET", "PUT"}},
                                 {"MaxAge", 5}}}})
                .status,
            201);
  allow_everybody();
  base::http::Request asked;
  asked.method = "OPTIONS";
  asked.headers.add("Origin", "https://a.example");
  asked.headers.add("Access-Control-Request-Method", "PUT");
  const auto answer = visit(asked);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(answer.headers.get("Access-Control-Allow-Methods"), "GET,PUT");
  EXPECT_EQ(answer.headers.get("Access-Control-Max-Age"), "5");
  EXPECT_TRUE(engine_.invocations.empty());
  base::http::Request other;
  other.headers.add("Origin", "https://b.example");
  EXPECT_EQ(visit(other).headers.get("Access-Control-Allow-Origin"), "");
  base::http::Request page;
  page.headers.add("Origin", "https://a.example");
  EXPECT_EQ(visit(page).headers.get("Access-Control-Allow-Origin"), "https://a.example");
}

/// Every value of a header, in the order of the answer.
std::vector<std::string> all(const base::http::Response& response, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [each, text] : response.headers.all())
    if (base::equal_ignoring_case(each, name)) values.push_back(text);
  return values;
}

TEST_F(FunctionUrls, StandBesideWhatTheFunctionSays) {
  const object cors{{"AllowOrigins", json::array{"https://a.example"}},
                    {"AllowCredentials", true},
                    {"ExposeHeaders", json::array{"x-ours"}}};
  const std::string own =
      R"({"statusCode":201,"headers":{"access-control-allow-origin":"https://a.example","Vary":"Accept-Encoding",)"
      R"("Access-Control-Allow-Credentials":"false","Access-Control-Expose-Headers":"x-own"})";
  ASSERT_EQ(put({{"AuthType", "NONE"}, {"Cors", cors}}).status, 201);
  allow_everybody();
  base::http::Request page;
  page.method = "POST";
  page.headers.add("Origin", "https://a.example");
  const auto check = [&](const base::http::Response& answer) {
    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, "made");
    EXPECT_THAT(all(answer, "Access-Control-Allow-Origin"), ElementsAre("https://a.example", "https://a.example"));
    EXPECT_THAT(all(answer, "Access-Control-Allow-Credentials"), ElementsAre("false", "true"));
    EXPECT_THAT(all(answer, "Access-Control-Expose-Headers"), ElementsAre("x-own", "x-ours"));
    EXPECT_THAT(all(answer, "Vary"), ElementsAre("Accept-Encoding", "Origin"));
  };
  engine_.outcome.payload = own + R"(,"body":"made"})";
  check(visit(page));
  ASSERT_EQ(ask("PUT", "f/url", R"({"InvokeMode":"RESPONSE_STREAM"})").status, 200);
  stream(std::string(kMetadataType), {own + "}" + std::string(8, '\0') + "ma", "de"});
  check(visit(page));
  base::http::Request stranger;
  stranger.headers.add("Origin", "https://b.example");
  EXPECT_THAT(all(visit(stranger), "Access-Control-Allow-Origin"), ElementsAre("https://a.example"));
  EXPECT_THAT(all(visit(stranger), "Vary"), ElementsAre("Accept-Encoding"));
  // Preflights are the URL's alone.
  page.method = "OPTIONS";
  page.headers.add("Access-Control-Request-Method", "POST");
  EXPECT_THAT(all(visit(page), "Access-Control-Allow-Origin"), ElementsAre("https://a.example"));
  EXPECT_THAT(all(visit(page), "Vary"), ElementsAre("Origin"));
}

TEST_F(FunctionUrls, LoseTheirCorsByEmptySettings) {
  const object cors{{"AllowOrigins", json::array{"*"}}};
  ASSERT_EQ(put({{"AuthType", "NONE"}, {"Cors", cors}}).status, 201);
  allow_everybody();
  ASSERT_EQ(ask("PUT", "f/url", R"({"AuthType":"NONE"})").status, 200);
  EXPECT_EQ(ask("GET", "f/url").object().at("Cors"), value(cors));
  EXPECT_FALSE(ask("PUT", "f/url", R"({"Cors":{}})").object().contains("Cors"));
  open();
  EXPECT_FALSE(ask("GET", "f/url").object().contains("Cors"));
  EXPECT_FALSE(ask("GET", "f/urls").object().at("FunctionUrlConfigs").at(0).as_object().contains("Cors"));
  base::http::Request asked;
  asked.method = "OPTIONS";
  asked.headers.add("Origin", "https://a.example");
  asked.headers.add("Access-Control-Request-Method", "PUT");
  EXPECT_EQ(visit(asked).headers.get("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(engine_.invocations.size(), 1u) << "the function answers its preflights itself again";
  EXPECT_FALSE(put({{"AuthType", "NONE"}, {"Cors", object{}}}, "f/url?Qualifier=live").object().contains("Cors"));
  EXPECT_FALSE(ask("GET", "f/url?Qualifier=live").object().contains("Cors"));
}

TEST_F(FunctionUrls, HaveNoCorsForNobody) {
  const std::string refusal =
      "400 InvalidParameterValueException: You can't leave AllowOrigins as empty when Cors is enabled.";
  const object without{{"MaxAge", 0}};
  const object empty{{"AllowOrigins", json::array{}}, {"AllowCredentials", false}};
  const object good{{"AllowOrigins", json::array{"*"}}};
  for (const auto& cors : {without, empty}) EXPECT_EQ(said(put({{"AuthType", "NONE"}, {"Cors", cors}})), refusal);
  EXPECT_EQ(ask("GET", "f/url").status, 404);
  ASSERT_EQ(put({{"AuthType", "NONE"}, {"Cors", good}}).status, 201);
  for (const auto& cors : {without, empty})
    EXPECT_EQ(said(ask("PUT", "f/url", json::serialize(object{{"AuthType", "AWS_IAM"}, {"Cors", cors}}))), refusal);
  EXPECT_EQ(ask("GET", "f/url").text("AuthType"), "NONE");
  EXPECT_EQ(ask("GET", "f/url").object().at("Cors"), value(good));
}

TEST_F(FunctionUrls, KeepTheirInvokeMode) {
  EXPECT_EQ(put({{"AuthType", "NONE"}, {"InvokeMode", "RESPONSE_STREAM"}}).text("InvokeMode"), "RESPONSE_STREAM");
  open();
  EXPECT_EQ(ask("GET", "f/url").text("InvokeMode"), "RESPONSE_STREAM");
  EXPECT_EQ(ask("PUT", "f/url", R"({"AuthType":"AWS_IAM"})").text("InvokeMode"), "(absent)");
  EXPECT_EQ(ask("GET", "f/url").text("InvokeMode"), "RESPONSE_STREAM");
  EXPECT_EQ(ask("PUT", "f/url", R"({"InvokeMode":"BUFFERED"})").text("InvokeMode"), "BUFFERED");
  EXPECT_EQ(ask("GET", "f/url").text("InvokeMode"), "BUFFERED");
}

TEST_F(FunctionUrls, ThatStreamPassOnWhatIsWritten) {
  stream("text/event-stream", {"data: 1\n\n", "data: 2\n\n"});
  const auto plain = visit({});
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers.get("Content-Type"), "text/event-stream");
  EXPECT_EQ(plain.headers.get("x-amzn-RequestId"), "request-7");
  EXPECT_EQ(plain.body, "data: 1\n\ndata: 2\n\n");
  EXPECT_TRUE(whole_);
  stream("", {"x"});
  EXPECT_EQ(visit({}).headers.get("Content-Type"), "application/octet-stream");
  stream("text/plain", {});
  EXPECT_EQ(visit({}).body, "");
  EXPECT_TRUE(whole_);
}

TEST_F(FunctionUrls, ThatStreamReadTheMetadataAheadOfTheBody) {
  const std::string end(8, '\0');
  const std::string type(kMetadataType);
  stream(type, {R"({"statusCode":418,"headers":{"X-Kettle":"on"},"coo)", R"(kies":["a=b"]})" + end + "sh", "ort"});
  const auto answer = visit({});
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.headers.get("X-Kettle"), "on");
  EXPECT_EQ(answer.headers.get("Set-Cookie"), "a=b");
  EXPECT_EQ(answer.body, "short");
  stream(type, {});
  EXPECT_EQ(visit({}).status, 200);
  for (const std::string& bad : {"[]" + end + "x", std::string("{}"), std::string(20'000, ' ')}) {
    stream(type, {bad});
    const auto refused = visit({});
    EXPECT_EQ(refused.status, 502) << bad.substr(0, 20);
    EXPECT_EQ(refused.body, "Internal Server Error");
  }
}

TEST_F(FunctionUrls, ThatStreamFailBeforeTheFirstByteOrBreakOff) {
  engine_.outcome.function_error = "Unhandled";
  stream("text/plain", {});
  EXPECT_EQ(visit({}).status, 502);
  stream(std::string(kMetadataType), {R"({"statusCode":200})"});
  EXPECT_EQ(visit({}).status, 502);
  stream("text/plain", {"some of it"});
  const auto broken = visit({});
  EXPECT_EQ(broken.status, 200);
  EXPECT_EQ(broken.body, "some of it");
  EXPECT_FALSE(whole_);
}

TEST_F(FunctionUrls, ThatStreamPassOnABufferedHandlersAnswerAsItIs) {
  stream("", {});
  engine_.streams = nullptr;
  engine_.outcome.payload = R"({"statusCode":201,"body":"made"})";
  engine_.outcome.content_type = "application/json";
  const auto answer = visit({});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.get("Content-Type"), "application/json");
  EXPECT_EQ(answer.body, engine_.outcome.payload);
  engine_.outcome.function_error = "Unhandled";
  EXPECT_EQ(visit({}).status, 502);
}

TEST(FunctionUrlHost, NamesAnIdOrNothing) {
  const std::string id(32, 'a');
  EXPECT_EQ(function_url_id(id + ".lambda-url.us-east-1.localhost:4566"), id);
  EXPECT_EQ(function_url_id(std::string(32, 'A') + ".lambda-url.eu-west-1.on.aws"), id);
  for (const std::string& none :
       {std::string("localhost:4566"), std::string(31, 'a') + ".lambda-url.us-east-1.localhost",
        std::string(32, '-') + ".lambda-url.us-east-1.localhost", std::string(), std::string("127.0.0.1")})
    EXPECT_EQ(function_url_id(none), std::nullopt) << none;
}

TEST(UrlEvent, HasEveryPartOfTheRequest) {
  base::http::Request http;
  http.method = "POST";
  http.path = "/a%20b/c";
  http.query = "x=1&x=2&y=%C3%A9&z";
  http.peer = "10.0.0.1";
  http.headers.add("Content-Type", "text/plain");
  http.headers.add("X-Two", "1");
  http.headers.add("x-two", "2");
  http.headers.add("Cookie", "a=1; b=2");
  http.headers.add("User-Agent", "test");
  http.body = "hello";
  const auto event = json::parse(url_event(
      {http, "id", "id.lambda-url.us-east-1.localhost:4566", "r", "Root=1", 1'769'862'896'789, std::nullopt}));
  EXPECT_EQ(event.at("version"), "2.0");
  EXPECT_EQ(event.at("rawPath"), "/a b/c");
  EXPECT_EQ(event.at("rawQueryString"), value(http.query));
  EXPECT_EQ(json::serialize(event.at("queryStringParameters")), "{\"x\":\"1,2\",\"y\":\"\xc3\xa9\",\"z\":\"\"}");
  EXPECT_EQ(json::serialize(event.at("cookies")), R"(["a=1","b=2"])");
  EXPECT_EQ(event.at("headers").at("x-two"), "1,2");
  EXPECT_EQ(event.at("headers").at("x-forwarded-for"), "10.0.0.1");
  EXPECT_EQ(event.at("headers").at("x-amzn-trace-id"), "Root=1");
  EXPECT_EQ(event.at("body"), "hello");
  EXPECT_EQ(event.at("isBase64Encoded"), false);
  const auto& context = event.at("requestContext");
  EXPECT_EQ(context.at("accountId"), "anonymous");
  EXPECT_EQ(context.at("domainName"), "id.lambda-url.us-east-1.localhost");
  EXPECT_EQ(context.at("http").at("method"), "POST");
  EXPECT_EQ(context.at("http").at("sourceIp"), "10.0.0.1");
  EXPECT_EQ(context.at("time"), "31/Jan/2026:12:34:56 +0000");
  EXPECT_EQ(context.at("timeEpoch"), 1'769'862'896'789);
}

TEST(UrlEvent, BinaryBodiesAreBase64) {
  for (const auto& [type, body] : {std::pair("image/png", "x"), std::pair("text/plain", "\xff")}) {
    base::http::Request http;
    http.method = "POST";
    http.path = "/";
    http.headers.add("Content-Type", type);
    http.body = body;
    const auto event = json::parse(url_event({http, "id", "h", "r", "", 0, std::nullopt}));
    EXPECT_EQ(event.at("isBase64Encoded"), true) << type;
    EXPECT_EQ(event.at("body"), value(base::base64(body)));
  }
}

}  // namespace
}  // namespace lambent::lambda
