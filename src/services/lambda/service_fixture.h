// For tests: the bound Lambda service over a real store in a directory of its own, a clock that stands still, one CPU thread
// and an engine that answers what the test says. Requests go through matching, decoding and encoding as the gateway's do.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <future>
#include <set>

#include "base/bytes.h"
#include "base/cpu_pool.h"
#include "base/digest.h"
#include "base/ids.h"
#include "services/lambda/code_signing.h"
#include "services/lambda/operations.h"
#include "services/lambda/service.h"
#include "store/code/test_zip.h"
#include "store/migrations.h"

namespace lambent::lambda::testing {

namespace asio = base::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

inline constexpr const char* kAccount = "123456789012";
inline constexpr const char* kRole = "arn:aws:iam::123456789012:role/lambda-role";
inline constexpr const char* kArn = "arn:aws:lambda:us-east-1:123456789012:function:";

class FakeEngine final : public invoke::Engine {
 public:
  base::Task<invoke::Outcome> invoke(invoke::Invocation invocation) override {
    invocations.push_back(std::move(invocation));
    if (streams) {
      auto streamed = streams(*invocations.back().sink);
      co_await std::move(streamed);
    }
    co_return outcome;
  }
  void retire(const store::FunctionKey& key, const std::string& version) override {
    retired.push_back(version.empty() ? key.name : key.name + ":" + version);
  }
  void expect(const store::FunctionVersion&) override {}
  void provision(store::FunctionSnapshot function, std::int32_t count, invoke::ProvisionObserver) override {
    provisioned.push_back(function->key.name + ":" + function->version + "=" + std::to_string(count));
  }
  base::Task<void> stop(std::chrono::seconds) override { co_return; }

  std::vector<invoke::Invocation> invocations;
  std::vector<std::string> retired;
  std::vector<std::string> provisioned;
  /// What the function streams before the outcome.
  std::function<base::Task<void>(runtime_api::ResponseSink&)> streams;
  invoke::Outcome outcome{.payload = "null", .executed_version = "$LATEST", .log_tail = "START\nEND\n"};
};

struct Answer {
  int status = 0;
  base::http::Headers headers;
  std::string body;
  /// The ARN that was authorized.
  std::string resource;

  json::object object() const { return body.empty() ? json::object{} : json::parse(body).as_object(); }
  std::string code() const { return std::string(headers.get("x-amzn-ErrorType")); }
  std::string message() const {
    const auto members = object();
    for (const char* key : {"message", "Message"})
      if (members.contains(key)) return std::string(std::string_view(members.at(key).as_string()));
    return {};
  }
  std::string text(std::string_view member) const {
    const auto members = object();
    return members.contains(member) ? std::string(std::string_view(members.at(member).as_string())) : "(absent)";
  }
};

class ServiceFixture : public ::testing::Test {
 protected:
  ServiceFixture() : directory_(fs::temp_directory_path() / ("lambent-lambda-" + base::random_hex(6))) {
    fs::create_directories(directory_ / "root");
    open();
  }
  ~ServiceFixture() override {
    close();
    fs::remove_all(directory_);
  }

  void close() {
    if (lambda_) run(lambda_->stop());
    service_.reset();
    lambda_.reset();
    signing_.reset();
    configs_.reset();
    functions_.reset();
    mappings_.reset();
    urls_.reset();
    layers_.reset();
    database_.reset();
    code_.reset();
  }

  /// As a new start of the server over the same data.
  void open() {
    close();
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    code_ = std::make_unique<store::CodeStore>(directory_ / "code");
    functions_ =
        std::make_unique<store::Functions>(*database_, [this](std::string_view hash) { return code_->pin(hash); });
    layers_ = std::make_unique<store::Layers>(*database_, [this](std::string_view hash) { return code_->pin(hash); });
    urls_ = std::make_unique<store::FunctionUrls>(*database_, *functions_);
    mappings_ = std::make_unique<store::EventSourceMappings>(*database_);
    LambdaParts parts{*functions_,
                      *code_,
                      engine_,
                      catalog_,
                      clock_,
                      cpu_,
                      code_url_,
                      *layers_,
                      *urls_,
                      *mappings_,
                      [this](std::string_view arn, std::string_view) { return usable_roles_.contains(arn); }};
    parts.allowed = [this](const aws::Caller&, std::string_view action, std::string_view resource,
                           std::string_view policy) {
      return policy.find(caller_.account) != std::string_view::npos ||
             granted_.contains(std::string(action) + " " + std::string(resource));
    };
    configs_ = std::make_unique<store::CodeSigningConfigs>(*database_, *functions_);
    signing_ =
        std::make_unique<Signing>(Signing{*configs_, profiles_, metrics_.counter("errors", "", {"policy", "reason"})});
    parts.signing = signing_.get();
    parts.objects = objects_;
    parts.allowed_by_url = [this](const aws::Caller* caller, std::string_view action, std::string_view,
                                  std::string_view policy, const auto& context) {
      const auto own = context.lower_bound("lambda:");
      url_asked_.push_back(std::string(action) + " by " + (caller ? caller->arn : "nobody") + " with " + own->first +
                           "=" + own->second.values.front());
      return policy.find(std::string(action) + "\"") != std::string_view::npos;
    };
    parts.check_resource_policy = [](std::string_view policy) {
      boost::system::error_code error;
      json::parse(policy, error);
      if (error) throw aws::Error("MalformedPolicyDocument", "This policy contains invalid Json", 400);
    };
    parts.block_public_policies = block_public_policies_;
    parts.code_storage_bytes = code_storage_;
    lambda_ = std::make_unique<Lambda>(std::move(parts));
    service_ = std::make_unique<aws::Service>(lambda_service(*lambda_));
  }

  /// Until the CPU thread has done what it was given so far.
  void drain_cpu() {
    std::promise<void> reached;
    cpu_.post([&] { reached.set_value(); });
    reached.get_future().wait();
  }

  template <class T>
  T run(base::Task<T> task) {
    lane_.restart();
    auto result = asio::co_spawn(lane_, std::move(task), asio::use_future);
    lane_.run();
    return result.get();
  }

  template <class T>
  std::future<T> asio_spawn(base::Task<T> task) {
    return asio::co_spawn(lane_, std::move(task), asio::use_future);
  }

  /// One request through the whole service; background work that it began has ended when this returns.
  Answer send(std::string method, std::string path, std::string body = "",
              std::vector<std::pair<std::string, std::string>> headers = {}) {
    auto task = answer(request_of(std::move(method), path, std::move(body), std::move(headers)));
    return run(std::move(task));
  }
  /// A request that goes on when the lane runs.
  std::future<Answer> begin(std::string method, std::string path, std::string body) {
    return asio_spawn(answer(request_of(std::move(method), path, std::move(body), {})));
  }
  /// Runs what can run, on the lane and the CPU thread, until all of it waits for the store.
  void advance() {
    for (int i = 0; i < 8; ++i) {
      lane_.restart();
      lane_.poll();
      drain_cpu();
    }
  }
  /// Keeps the store's writer busy until the promise is set: what is written meanwhile follows in its order.
  std::shared_ptr<std::promise<void>> hold_store() {
    auto release = std::make_shared<std::promise<void>>();
    auto entered = std::make_shared<std::promise<void>>();
    database_->enqueue(
        [release, entered](store::Transaction&) {
          entered->set_value();
          release->get_future().wait();
        },
        [](std::exception_ptr) {});
    entered->get_future().wait();
    return release;
  }

  static std::string functions_path(const std::string& rest = "") { return "/2015-03-31/functions" + rest; }
  static std::string zip64(const std::string& content = "x") {
    return base::base64(store::testing::make_zip({{.name = "bootstrap", .content = content, .mode = S_IFREG | 0755}}));
  }
  static json::object creation(const std::string& name, const std::string& content = "x") {
    return {{"FunctionName", name},
            {"Role", kRole},
            {"Runtime", "provided.al2023"},
            {"Handler", "app.handler"},
            {"Code", json::object{{"ZipFile", zip64(content)}}}};
  }
  Answer create(const json::object& body) { return send("POST", functions_path(), json::serialize(body)); }
  Answer create(const std::string& name) { return create(creation(name)); }
  Answer configuration(const std::string& name) { return send("GET", functions_path("/" + name + "/configuration")); }
  Answer update_code(const std::string& name, const json::object& body) {
    return send("PUT", functions_path("/" + name + "/code"), json::serialize(body));
  }
  Answer update_configuration(const std::string& name, const json::object& body) {
    return send("PUT", functions_path("/" + name + "/configuration"), json::serialize(body));
  }
  Answer invoke(const std::string& name, std::string payload = "{}",
                std::vector<std::pair<std::string, std::string>> headers = {}) {
    return send("POST", functions_path("/" + name + "/invocations"), std::move(payload), std::move(headers));
  }
  store::FunctionSnapshot stored(const std::string& name) const {
    return functions_->find({kAccount, "us-east-1", name});
  }

  /// Puts a function into the store as an update or a crash would have left it.
  void put(const std::string& name, const std::string& state, const std::string& update_status) {
    store::FunctionVersion function;
    function.key = {kAccount, "us-east-1", name};
    function.state = state;
    function.update_status = update_status;
    function.revision_id = base::uuid();
    function.code_hash = std::string(64, '0');
    ASSERT_TRUE(run(functions_->create(function)));
  }

  const fs::path directory_;
  asio::io_context lane_{1};
  base::ManualClock clock_{base::WallTime(std::chrono::milliseconds(1'769'862'896'789))};
  base::CpuPool cpu_{1};
  runtimes::Catalog catalog_{directory_ / "root"};
  CodeUrl code_url_{"a server's key", clock_};
  FakeEngine engine_;
  std::int64_t code_storage_ = 75LL << 30;
  bool block_public_policies_ = false;
  /// "ACTION RESOURCE" that the caller's own policies allow.
  std::set<std::string> granted_;
  /// S3; set before open().
  aws::Objects* objects_ = nullptr;
  SigningProfiles profiles_;
  base::Metrics metrics_;
  /// What the authorizer was asked for function URLs.
  std::vector<std::string> url_asked_;
  std::set<std::string, std::less<>> usable_roles_{kRole};
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Functions> functions_;
  std::unique_ptr<store::Layers> layers_;
  std::unique_ptr<store::FunctionUrls> urls_;
  std::unique_ptr<store::EventSourceMappings> mappings_;
  std::unique_ptr<store::CodeStore> code_;
  std::unique_ptr<store::CodeSigningConfigs> configs_;
  std::unique_ptr<Signing> signing_;
  std::unique_ptr<Lambda> lambda_;
  std::unique_ptr<aws::Service> service_;
  aws::Caller caller_{.account = kAccount,
                      .region = "us-east-1",
                      .arn = "arn:aws:iam::123456789012:user/ann",
                      .request_id = "request-1",
                      .endpoint = "http://127.0.0.1:4566"};

 private:
  static base::http::Request request_of(std::string method, const std::string& path, std::string body,
                                        std::vector<std::pair<std::string, std::string>> headers) {
    base::http::Request request;
    request.method = std::move(method);
    request.path = path.substr(0, path.find('?'));
    if (path.find('?') != std::string::npos) request.query = path.substr(path.find('?') + 1);
    request.body = std::move(body);
    for (auto& [name, value] : headers) request.headers.add(std::move(name), std::move(value));
    return request;
  }

  base::Task<Answer> answer(base::http::Request request) {
    Answer out;
    aws::Match match;
    base::http::Response response;
    try {
      match = service_->match(request);
      auto input = service_->decode(match, request);
      out.resource = service_->row(match).resource(caller_, input.get());
      auto task = service_->call(match, caller_, std::move(input));
      auto output = co_await std::move(task);
      response = service_->encode(match, output.get(), caller_.request_id);
    } catch (const aws::Error& error) {
      response = service_->encode_error(error, caller_.request_id);
    }
    out.status = response.status;
    out.headers = std::move(response.headers);
    out.body = std::move(response.body);
    co_return out;
  }
};

}  // namespace lambent::lambda::testing
