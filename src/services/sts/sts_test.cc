#include "services/sts/sts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <pugixml.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::sts {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = base::asio;

constexpr const char* kAccount = "123456789012";
constexpr const char* kRoleArn = "arn:aws:iam::123456789012:role/team/Deploy";

struct Answer {
  int status = 0;
  std::string code, message, body;
  pugi::xml_document xml;
  std::string text(const std::string& path) const {
    return xml.document_element().first_child().first_element_by_path(path.c_str()).text().get();
  }
};

class StsTest : public ::testing::Test {
 protected:
  StsTest() : directory_(std::filesystem::temp_directory_path() / ("lambent-sts-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    identities_ = std::make_unique<store::Identities>(*database_);
    authorizer_ = std::make_unique<auth::Authorizer>(*identities_, clock_);
    sts_ = std::make_unique<Sts>(*identities_, *authorizer_, tokens_);
    service_ = std::make_unique<aws::Service>(sts_service(*sts_));
  }
  ~StsTest() override {
    identities_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.restart();
    lane_.run();
    return result.get();
  }

  static aws::Caller root() {
    aws::Caller caller;
    caller.account = kAccount;
    caller.arn = caller.identity_arn = "arn:aws:iam::123456789012:root";
    caller.user_id = kAccount;
    return caller;
  }
  /// Makes the user with an inline policy, when there is one.
  aws::Caller user(const std::string& name, const std::string& policy = "") {
    store::User made;
    made.account = kAccount;
    made.name = name;
    made.id = "AIDA" + base::random_base32(17);
    if (!policy.empty()) made.inline_policies["p"] = policy;
    EXPECT_EQ(run(identities_->create_user(made)), store::Change::done);
    aws::Caller caller = root();
    caller.kind = aws::Principal::user;
    caller.arn = caller.identity_arn = made.arn();
    caller.user_id = made.id;
    return caller;
  }
  store::RoleSnapshot role(const std::string& trusted, std::int32_t max_session_s = 3600) {
    store::Role made;
    made.account = kAccount;
    made.name = "Deploy";
    made.path = "/team/";
    made.id = "AROA" + base::random_base32(17);
    made.trust_policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":")" + trusted +
                        R"("},"Action":"sts:AssumeRole"}]})";
    made.max_session_s = max_session_s;
    EXPECT_EQ(run(identities_->create_role(made)), store::Change::done);
    return identities_->role(kAccount, "Deploy");
  }

  Answer call(const std::string& operation, const std::vector<std::pair<std::string, std::string>>& parameters,
              const aws::Caller& caller) {
    base::http::Request request;
    request.method = "POST";
    request.path = "/";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = "Action=" + operation + "&Version=2011-06-15";
    for (const auto& [name, value] : parameters)
      request.body += "&" + base::percent_encode(name) + "=" + base::percent_encode(value);
    base::http::Response response;
    try {
      const auto match = service_->match(request);
      auto input = service_->decode(match, request);
      response = service_->encode(match, run(service_->call(match, caller, std::move(input))).get(), "request-1");
    } catch (const aws::Error& error) {
      response = service_->encode_error(error, "request-1");
    }
    Answer answer;
    answer.status = response.status;
    answer.body = response.body;
    EXPECT_TRUE(answer.xml.load_string(response.body.c_str())) << response.body;
    answer.code = answer.xml.document_element().child("Error").child("Code").text().get();
    answer.message = answer.xml.document_element().child("Error").child("Message").text().get();
    return answer;
  }
  Answer assume(const aws::Caller& caller, const std::string& duration = "", const std::string& arn = kRoleArn) {
    std::vector<std::pair<std::string, std::string>> parameters = {{"RoleArn", arn}, {"RoleSessionName", "session-1"}};
    if (!duration.empty()) parameters.emplace_back("DurationSeconds", duration);
    return call("AssumeRole", parameters, caller);
  }

  // Ends after the database, which posts to it.
  asio::io_context lane_{1};
  std::filesystem::path directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000123))};
  auth::SessionTokens tokens_{std::string(32, 'k'), clock_};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Identities> identities_;
  std::unique_ptr<auth::Authorizer> authorizer_;
  std::unique_ptr<Sts> sts_;
  std::unique_ptr<aws::Service> service_;
};

TEST_F(StsTest, CallersLearnWhoTheyAre) {
  const auto bob = user("bob");
  for (const auto& caller : {root(), bob}) {
    const auto answer = call("GetCallerIdentity", {}, caller);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.text("UserId"), caller.user_id);
    EXPECT_EQ(answer.text("Account"), kAccount);
    EXPECT_EQ(answer.text("Arn"), caller.arn);
  }
}

TEST_F(StsTest, OnlyGetCallerIdentityIsForEverybodyAndAssumeRoleDecidesItself) {
  const auto how = [&](const std::string& operation, const std::string& parameters) {
    base::http::Request request;
    request.method = "POST";
    request.path = "/";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = "Action=" + operation + "&Version=2011-06-15" + parameters;
    return service_->row(service_->match(request)).authorization;
  };
  EXPECT_EQ(how("GetCallerIdentity", ""), aws::Authorization::authenticated);
  EXPECT_EQ(how("AssumeRole", "&RoleArn=x"), aws::Authorization::by_operation);
}

TEST_F(StsTest, ATrustedUserGetsCredentialsOfTheRole) {
  const auto bob = user("bob");
  const auto deploy = role(bob.arn);
  const auto answer = assume(bob);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.text("AssumedRoleUser/Arn"), "arn:aws:sts::123456789012:assumed-role/Deploy/session-1");
  EXPECT_EQ(answer.text("AssumedRoleUser/AssumedRoleId"), deploy->id + ":session-1");
  EXPECT_EQ(answer.text("Credentials/Expiration"), "2023-11-14T23:13:20Z");
  EXPECT_THAT(answer.text("Credentials/AccessKeyId"), StartsWith("ASIA"));
  const auto session = tokens_.open(answer.text("Credentials/SessionToken"));
  ASSERT_TRUE(session);
  EXPECT_EQ(session->access_key_id, answer.text("Credentials/AccessKeyId"));
  EXPECT_EQ(session->secret_access_key, answer.text("Credentials/SecretAccessKey"));
  EXPECT_EQ(session->role_arn, kRoleArn);
  EXPECT_EQ(session->role_id, deploy->id);
  EXPECT_EQ(session->session_name, "session-1");
  EXPECT_EQ(session->account, kAccount);
}

TEST_F(StsTest, ATrustedAccountLetsThoseIntoTheRoleWhoseOwnPoliciesDo) {
  role("arn:aws:iam::123456789012:root");
  const auto allowed = user(
      "allowed",
      std::string(R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":")") +
          kRoleArn + R"("}]})");
  EXPECT_EQ(assume(allowed).status, 200);
  const auto plain = user("plain");
  const auto refused = assume(plain);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code, "AccessDenied");
  EXPECT_EQ(refused.message, std::string("User: arn:aws:iam::123456789012:user/plain is not authorized to perform: "
                                         "sts:AssumeRole on resource: ") +
                                 kRoleArn);
}

TEST_F(StsTest, ARoleThatDoesNotExistIsRefusedInTheSameWords) {
  const auto bob = user("bob");
  const std::string missing = "arn:aws:iam::123456789012:role/team/Missing";
  const auto absent = assume(bob, "", missing);
  EXPECT_EQ(absent.status, 403);
  EXPECT_EQ(absent.code, "AccessDenied");
  EXPECT_EQ(
      absent.message,
      "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: sts:AssumeRole on resource: " + missing);
  role("arn:aws:iam::123456789012:user/alice");
  auto present = assume(bob).message;
  EXPECT_EQ(present.replace(present.find("Deploy"), 6, "Missing"), absent.message);
  // The name without the role's path is no name for it.
  EXPECT_EQ(assume(bob, "", "arn:aws:iam::123456789012:role/Deploy").status, 403);
}

TEST_F(StsTest, TheExternalIdAndTheSessionsNameAreHeldAgainstTheTrustPolicy) {
  const auto bob = user("bob");
  store::Role made;
  made.account = kAccount;
  made.name = "Deploy";
  made.path = "/team/";
  made.id = "AROA" + base::random_base32(17);
  made.trust_policy = R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":")" + bob.arn +
                      R"("},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"},
         "StringLike":{"sts:RoleSessionName":"session-*"}}}]})";
  ASSERT_EQ(run(identities_->create_role(made)), store::Change::done);
  const auto with = [&](const std::string& session, const std::string& id) {
    std::vector<std::pair<std::string, std::string>> parameters{{"RoleArn", kRoleArn}, {"RoleSessionName", session}};
    if (!id.empty()) parameters.emplace_back("ExternalId", id);
    return call("AssumeRole", parameters, bob).status;
  };
  EXPECT_EQ(with("session-1", "12345"), 200);
  EXPECT_EQ(with("session-1", "12346"), 403);
  EXPECT_EQ(with("session-1", ""), 403);
  EXPECT_EQ(with("other", "12345"), 403);
}

TEST_F(StsTest, RootAssumesNoRole) {
  role("arn:aws:iam::123456789012:root");
  for (const char* arn : {kRoleArn, "arn:aws:iam::123456789012:role/Missing"}) {
    const auto answer = assume(root(), "", arn);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.code, "AccessDenied");
    EXPECT_EQ(answer.message, "Roles may not be assumed by root accounts.");
  }
}

TEST_F(StsTest, TheSessionIsNoLongerThanTheRoleAllows) {
  const auto bob = user("bob");
  role(bob.arn, 7200);
  EXPECT_EQ(assume(bob, "900").text("Credentials/Expiration"), "2023-11-14T22:28:20Z");
  EXPECT_EQ(assume(bob, "7200").text("Credentials/Expiration"), "2023-11-15T00:13:20Z");
  const auto longer = assume(bob, "7201");
  EXPECT_EQ(longer.status, 400);
  EXPECT_EQ(longer.code, "ValidationError");
  EXPECT_EQ(longer.message, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  for (const char* outside : {"899", "43201", "-900"}) {
    EXPECT_EQ(assume(bob, outside).status, 400) << outside;
    EXPECT_EQ(assume(bob, outside).code, "ValidationError") << outside;
  }
}

TEST_F(StsTest, AChainedSessionLastsAnHourAtMost) {
  role("arn:aws:iam::123456789012:role/First", 43200);
  aws::Caller session = root();
  session.kind = aws::Principal::assumed_role;
  session.arn = "arn:aws:sts::123456789012:assumed-role/First/s";
  session.identity_arn = "arn:aws:iam::123456789012:role/First";
  store::Role first;
  first.account = kAccount;
  first.name = "First";
  first.id = "AROA" + base::random_base32(17);
  first.trust_policy = "{}";
  ASSERT_EQ(run(identities_->create_role(first)), store::Change::done);
  session.user_id = first.id + ":s";
  EXPECT_EQ(assume(session, "3600").status, 200);
  const auto longer = assume(session, "3601");
  EXPECT_EQ(longer.status, 400);
  EXPECT_THAT(longer.message, HasSubstr("1 hour session limit for roles assumed by role chaining"));
}

TEST_F(StsTest, RequestsThatTheModelOrTheGrammarRefuse) {
  const auto bob = user("bob");
  role(bob.arn);
  for (const char* arn : {"arn:aws:iam::123456789012:user/someone", "this-is-no-arn-but-long-enough"}) {
    const auto answer = assume(bob, "", arn);
    EXPECT_EQ(answer.status, 400) << arn;
    EXPECT_EQ(answer.code, "ValidationError") << arn;
    EXPECT_EQ(answer.message, std::string(arn) + " is invalid");
  }
  EXPECT_EQ(call("AssumeRole", {{"RoleArn", kRoleArn}, {"RoleSessionName", "a b"}}, bob).status, 400);
  EXPECT_EQ(call("AssumeRole", {{"RoleArn", kRoleArn}}, bob).status, 400);
  // A session policy would narrow what the session may do: refused, not ignored.
  const auto narrowed = call("AssumeRole", {{"RoleArn", kRoleArn}, {"RoleSessionName", "s1"}, {"Policy", "{}"}}, bob);
  EXPECT_EQ(narrowed.status, 501) << narrowed.body;
}

}  // namespace
}  // namespace lambent::sts
