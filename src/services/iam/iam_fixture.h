// IAM as a client meets it, without the network: query bodies in, XML out, over a database of its own. For tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>
#include <initializer_list>
#include <pugixml.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/ids.h"
#include "services/iam/iam.h"
#include "store/migrations.h"

namespace lambent::iam {

namespace asio = base::asio;

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  int status = 0;
  /// Of an error.
  std::string code;
  std::string message;
  std::string body;
  pugi::xml_document xml;

  /// The text at a path below <XResult>, "User/Arn"; empty when there is none.
  std::string text(const std::string& path) const { return result().first_element_by_path(path.c_str()).text().get(); }
  bool has(const std::string& path) const { return !result().first_element_by_path(path.c_str()).empty(); }
  /// The texts of `name` in each <member> of the list, or of the members themselves for "".
  std::vector<std::string> each(const std::string& list, const std::string& name) const {
    std::vector<std::string> found;
    for (const auto member : result().first_element_by_path(list.c_str()).children("member"))
      found.push_back(name.empty() ? member.text().get() : member.child(name.c_str()).text().get());
    return found;
  }

 private:
  pugi::xml_node result() const { return xml.document_element().first_child(); }
};

class IamTest : public ::testing::Test {
 protected:
  IamTest() : directory_(std::filesystem::temp_directory_path() / ("lambent-iam-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    identities_ = std::make_unique<store::Identities>(*database_);
    iam_ = std::make_unique<Iam>(*identities_, clock_);
    service_ = std::make_unique<aws::Service>(iam_service(*iam_));
  }
  ~IamTest() override {
    identities_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  static aws::Caller root() {
    aws::Caller caller;
    caller.account = "123456789012";
    caller.arn = caller.identity_arn = "arn:aws:iam::123456789012:root";
    caller.user_id = caller.account;
    return caller;
  }
  /// A user that exists.
  aws::Caller as_user(const std::string& name) const {
    const auto user = identities_->user("123456789012", name);
    aws::Caller caller = root();
    caller.kind = aws::Principal::user;
    caller.arn = caller.identity_arn = user->arn();
    caller.user_id = user->id;
    return caller;
  }
  static aws::Caller as_session() {
    aws::Caller caller = root();
    caller.kind = aws::Principal::assumed_role;
    caller.arn = "arn:aws:sts::123456789012:assumed-role/r/s";
    caller.identity_arn = "arn:aws:iam::123456789012:role/r";
    caller.user_id = "AROAAAAAAAAAAAAAAAAAA:s";
    return caller;
  }

  static base::http::Request request(const std::string& operation, const Parameters& parameters) {
    base::http::Request request;
    request.method = "POST";
    request.path = "/";
    request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    request.body = "Action=" + operation + "&Version=2010-05-08";
    for (const auto& [name, value] : parameters)
      request.body += "&" + base::percent_encode(name) + "=" + base::percent_encode(value);
    return request;
  }

  Answer call(const std::string& operation, const Parameters& parameters, const aws::Caller& caller = root()) {
    const auto sent = request(operation, parameters);
    base::http::Response response;
    try {
      const auto match = service_->match(sent);
      auto input = service_->decode(match, sent);
      auto result = asio::co_spawn(lane_, service_->call(match, caller, std::move(input)), asio::use_future);
      lane_.restart();
      lane_.run();
      response = service_->encode(match, result.get().get(), "request-1");
    } catch (const aws::Error& error) {
      response = service_->encode_error(error, "request-1");
    }
    Answer answer;
    answer.status = response.status;
    answer.body = response.body;
    EXPECT_TRUE(answer.xml.load_string(response.body.c_str())) << response.body;
    const auto error = answer.xml.document_element().child("Error");
    answer.code = error.child("Code").text().get();
    answer.message = error.child("Message").text().get();
    return answer;
  }
  /// Expects success.
  Answer must(const std::string& operation, const Parameters& parameters, const aws::Caller& caller = root()) {
    Answer answer = call(operation, parameters, caller);
    EXPECT_EQ(answer.status, 200) << operation << ": " << answer.body;
    return answer;
  }
  /// The ARN that the gateway authorizes.
  std::string resource(const std::string& operation, const Parameters& parameters, const aws::Caller& caller = root()) {
    const auto sent = request(operation, parameters);
    const auto match = service_->match(sent);
    const auto input = service_->decode(match, sent);
    return service_->row(match).resource(caller, input.get());
  }

  void make_user(const std::string& name, const std::string& path = "/") {
    must("CreateUser", {{"UserName", name}, {"Path", path}});
  }
  void make_role(const std::string& name, const std::string& path = "/") {
    must("CreateRole", {{"RoleName", name}, {"Path", path}, {"AssumeRolePolicyDocument", kTrust}});
  }

  static constexpr const char* kTrust =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]})";
  static constexpr const char* kPolicy =
      R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"}]})";

  // Ends after the database, which posts to it.
  asio::io_context lane_{1};
  std::filesystem::path directory_;
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1700000000123))};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Identities> identities_;
  std::unique_ptr<Iam> iam_;
  std::unique_ptr<aws::Service> service_;
};

#define EXPECT_REFUSED(answer_, status_, code_, message_) \
  do {                                                    \
    const auto& refused_ = (answer_);                     \
    EXPECT_EQ(refused_.status, status_);                  \
    EXPECT_EQ(refused_.code, code_);                      \
    EXPECT_EQ(refused_.message, message_);                \
  } while (false)

}  // namespace lambent::iam
