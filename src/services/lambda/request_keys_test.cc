// What requests say for the conditions of policies: present when the request has it, absent when it has not.
#include "services/lambda/request_keys.h"

#include "services/lambda/service_fixture.h"

namespace lambent::lambda {
namespace {

using testing::kArn;
using testing::ServiceFixture;

class RequestKeys : public ServiceFixture {
 protected:
  static std::string text(const aws::ConditionKeys& keys) {
    std::string out;
    for (const auto& [key, value] : keys) {
      out += key + "=";
      for (const auto& each : value.values) out += each + ",";
      out += " ";
    }
    return out;
  }
};

TEST_F(RequestKeys, OfANewFunction) {
  CreateFunctionInput in;
  EXPECT_EQ(text(create_function_keys(*lambda_, caller_, in)), "");
  in.Tags = TextMap{{"Cost", "17"}, {"team", "blue"}};
  in.Layers = Texts{"layer:1", "layer:2"};
  in.VpcConfig.emplace().SubnetIds = Texts{"subnet-1"};
  EXPECT_EQ(text(create_function_keys(*lambda_, caller_, in)),
            "aws:requesttag/cost=17, aws:requesttag/team=blue, aws:tagkeys=Cost,team, lambda:layer=layer:1,layer:2, "
            "lambda:subnetids=subnet-1, ");
  UpdateFunctionConfigurationInput change;
  change.Layers = Texts{};
  EXPECT_EQ(text(update_function_keys(*lambda_, caller_, change)), "") << "an empty set is as good as none";
}

TEST_F(RequestKeys, OfTagsAndPermissions) {
  TagResourceInput tags;
  tags.Tags = {{"A", "1"}};
  EXPECT_EQ(text(tag_keys(*lambda_, caller_, tags)), "aws:requesttag/a=1, aws:tagkeys=A, ");
  UntagResourceInput untag;
  untag.TagKeys = {"A", "b"};
  EXPECT_EQ(text(untag_keys(*lambda_, caller_, untag)), "aws:tagkeys=A,b, ");
  AddPermissionInput permission;
  permission.Principal = "*";
  EXPECT_EQ(text(add_permission_keys(*lambda_, caller_, permission)), "lambda:principal=*, ");
  permission.FunctionUrlAuthType = "NONE";
  permission.InvokedViaFunctionUrl = true;
  EXPECT_EQ(text(add_permission_keys(*lambda_, caller_, permission)),
            "lambda:functionurlauthtype=NONE, lambda:invokedviafunctionurl=true, lambda:principal=*, ");
}

TEST_F(RequestKeys, OfAUrlAreThoseThatItHasOrIsToHave) {
  ASSERT_EQ(create("f").status, 201);
  QualifiedFunctionInput in;
  in.FunctionName = "f";
  EXPECT_EQ(text(get_url_keys(*lambda_, caller_, in)), "");
  ASSERT_EQ(send("POST", "/2021-10-31/functions/f/url", R"({"AuthType":"AWS_IAM"})").status, 201);
  EXPECT_EQ(text(get_url_keys(*lambda_, caller_, in)), "lambda:functionurlauthtype=AWS_IAM, ");
  EXPECT_EQ(text(remove_url_keys(*lambda_, caller_, in)), "lambda:functionurlauthtype=AWS_IAM, ");
  UpdateFunctionUrlInput change;
  change.FunctionName = "f";
  EXPECT_EQ(text(update_url_keys(*lambda_, caller_, change)), "lambda:functionurlauthtype=AWS_IAM, ");
  change.AuthType = "NONE";
  EXPECT_EQ(text(update_url_keys(*lambda_, caller_, change)), "lambda:functionurlauthtype=NONE, ");
}

TEST_F(RequestKeys, OfAMappingAreItsFunction) {
  ASSERT_EQ(create("f").status, 201);
  CreateMappingInput in;
  in.FunctionName = "f";
  EXPECT_EQ(text(create_mapping_keys(*lambda_, caller_, in)), std::string("lambda:functionarn=") + kArn + "f, ");
  const auto made =
      send("POST", "/2015-03-31/event-source-mappings",
           R"({"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:q","Enabled":false})");
  ASSERT_EQ(made.status, 202) << made.body;
  MappingInput asked;
  asked.UUID = made.text("UUID");
  EXPECT_EQ(text(mapping_keys(*lambda_, caller_, asked)), std::string("lambda:functionarn=") + kArn + "f, ");
  asked.UUID = "another";
  EXPECT_EQ(text(mapping_keys(*lambda_, caller_, asked)), "");
}

TEST_F(RequestKeys, OfAChangedMappingAreItsFunctionAndTheNewOneApart) {
  ASSERT_EQ(create("f").status, 201);
  ASSERT_EQ(create("g").status, 201);
  const auto made =
      send("POST", "/2015-03-31/event-source-mappings",
           R"({"FunctionName":"f","EventSourceArn":"arn:aws:sqs:us-east-1:123456789012:q","Enabled":false})");
  ASSERT_EQ(made.status, 202) << made.body;
  UpdateMappingInput change;
  change.UUID = made.text("UUID");
  change.FunctionName = "g";
  EXPECT_EQ(text(updated_mapping_keys(*lambda_, caller_, change)), std::string("lambda:functionarn=") + kArn + "f, ");
  EXPECT_EQ(text(mapping_keys_with(caller_, "g")), std::string("lambda:functionarn=") + kArn + "g, ");
  EXPECT_EQ(text(mapping_keys_with(caller_, "g:live")), std::string("lambda:functionarn=") + kArn + "g:live, ");
}

TEST_F(RequestKeys, OfCodeSigningAreItsTagsAndTheConfiguration) {
  CreateCodeSigningConfigInput in;
  EXPECT_EQ(text(create_code_signing_config_keys(*lambda_, caller_, in)), "");
  in.Tags = TextMap{{"Team", "blue"}};
  EXPECT_EQ(text(create_code_signing_config_keys(*lambda_, caller_, in)),
            "aws:requesttag/team=blue, aws:tagkeys=Team, ");
  PutFunctionCodeSigningConfigInput put;
  put.CodeSigningConfigArn = "arn:csc";
  EXPECT_EQ(text(put_code_signing_config_keys(*lambda_, caller_, put)), "lambda:codesigningconfigarn=arn:csc, ");
}

}  // namespace
}  // namespace lambent::lambda
