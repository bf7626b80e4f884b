#include "app/resource_tags.h"

#include <gmock/gmock.h>

#include <boost/asio/use_future.hpp>
#include <filesystem>

#include "base/ids.h"
#include "store/migrations.h"

namespace lambent::app {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* kAccount = "123456789012";
constexpr const char* kRegion = "eu-west-1";

std::string arn(const std::string& service, const std::string& resource) {
  return "arn:aws:" + service + ":eu-west-1:123456789012:" + resource;
}

class ResourceTags : public ::testing::Test {
 protected:
  ResourceTags() : directory_(std::filesystem::temp_directory_path() / ("lambent-tags-" + base::random_hex(6))) {
    std::filesystem::create_directory(directory_);
    database_ = std::make_unique<store::Database>(directory_ / "records.db", store::migrations());
    functions_ = std::make_unique<store::Functions>(*database_);
    mappings_ = std::make_unique<store::EventSourceMappings>(*database_);
    configs_ = std::make_unique<store::CodeSigningConfigs>(*database_, *functions_);
    groups_ = std::make_unique<store::LogGroups>(*database_);
  }
  ~ResourceTags() override {
    groups_.reset();
    configs_.reset();
    mappings_.reset();
    functions_.reset();
    database_.reset();
    std::filesystem::remove_all(directory_);
  }

  template <class T>
  T run(base::Task<T> task) {
    auto result = base::asio::co_spawn(context_, std::move(task), base::asio::use_future);
    context_.restart();
    context_.run();
    return result.get();
  }

  auth::Tags of(const std::string& name) const {
    return resource_tags({*functions_, *mappings_, *configs_, *groups_}, name);
  }

  // Ends after the database, which posts to it.
  base::asio::io_context context_{1};
  std::filesystem::path directory_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::Functions> functions_;
  std::unique_ptr<store::EventSourceMappings> mappings_;
  std::unique_ptr<store::CodeSigningConfigs> configs_;
  std::unique_ptr<store::LogGroups> groups_;
};

TEST_F(ResourceTags, OfALogGroupHoweverItsArnGoesOn) {
  store::LogGroup group;
  group.key = {kAccount, kRegion, "/aws/lambda/orders"};
  group.directory = "d";
  group.tags = {{"Team", "blue"}};
  ASSERT_TRUE(run(groups_->create(group)));
  const std::string name = "log-group:/aws/lambda/orders";
  for (const char* rest : {"", ":*", ":log-stream:", ":log-stream:2026/01/31/[1]ab:c"})
    EXPECT_THAT(of(arn("logs", name + rest)), ElementsAre(Pair("Team", "blue"))) << rest;
  EXPECT_THAT(of(arn("logs", "log-group:/aws/lambda/order")), IsEmpty());
  EXPECT_THAT(of(arn("logs", "log-group:/aws/lambda/orders2")), IsEmpty());
  EXPECT_THAT(of("arn:aws:logs:us-east-1:123456789012:" + name), IsEmpty());
  EXPECT_THAT(of("arn:aws:logs:eu-west-1:210987654321:" + name), IsEmpty());
}

TEST_F(ResourceTags, OfACodeSigningConfiguration) {
  store::CodeSigningConfig config;
  config.account = kAccount;
  config.region = kRegion;
  config.id = "csc-0123456789abcdef0";
  config.tags = {{"Team", "green"}};
  run(configs_->create(config));
  EXPECT_THAT(of(arn("lambda", "code-signing-config:csc-0123456789abcdef0")), ElementsAre(Pair("Team", "green")));
  EXPECT_THAT(of(arn("lambda", "code-signing-config:csc-0123456789abcdef1")), IsEmpty());
}

TEST_F(ResourceTags, OfAMappingAndOfNothing) {
  store::EventSourceMapping mapping;
  mapping.uuid = base::uuid();
  mapping.function = {kAccount, kRegion, "orders"};
  mapping.state = "Disabled";
  mapping.settings = "{}";
  mapping.tags = R"({"Team":"red"})";
  run(mappings_->create(mapping));
  EXPECT_THAT(of(arn("lambda", "event-source-mapping:" + mapping.uuid)), ElementsAre(Pair("Team", "red")));
  for (const std::string& none : {std::string("*"), std::string(), arn("lambda", "function:orders"),
                                  arn("s3", "orders"), arn("lambda", "layer:orders"), arn("logs", "destination:d")})
    EXPECT_THAT(of(none), IsEmpty()) << none;
}

}  // namespace
}  // namespace lambent::app
