#include "auth/condition.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

namespace json = boost::json;

/// Do all conditions of the element hold?
bool holds(const std::string& element, const RequestContext& context) {
  const auto conditions = read_conditions(json::parse(element).as_object());
  EXPECT_TRUE(conditions) << element;
  for (const auto& condition : *conditions)
    if (!condition.holds(context)) return false;
  return true;
}

const RequestContext kFromBucket{{"aws:sourcearn", "arn:aws:s3:::photos"}, {"aws:sourceaccount", "123456789012"}};

TEST(Condition, ArnsMatchWithWildcards) {
  EXPECT_TRUE(holds(R"({"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::ph*"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"ArnEquals":{"aws:SourceArn":["x","arn:aws:s3:::photo?"]}})", kFromBucket));
  EXPECT_FALSE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:s3:::other"}})", kFromBucket));
  EXPECT_FALSE(holds(R"({"ArnNotLike":{"aws:SourceArn":"arn:aws:s3:::*"}})", kFromBucket));
}

TEST(Condition, StringsMatchExactlyUnlessTheOperatorSaysElse) {
  EXPECT_TRUE(holds(R"({"StringEquals":{"AWS:SourceAccount":"123456789012"}})", kFromBucket));
  EXPECT_FALSE(holds(R"({"StringEquals":{"AWS:SourceAccount":"1234567890*"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"StringLike":{"AWS:SourceAccount":"1234567890*"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"StringEqualsIgnoreCase":{"aws:SourceArn":"ARN:AWS:S3:::PHOTOS"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"StringNotEquals":{"AWS:SourceAccount":"210987654321"}})", kFromBucket));
}

TEST(Condition, AllOfThemMustHold) {
  EXPECT_FALSE(holds(R"({"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"},"StringEquals":{"AWS:SourceAccount":"1"}})",
                     kFromBucket));
  EXPECT_TRUE(holds(
      R"({"ArnLike":{"AWS:SourceArn":"arn:aws:s3:::photos"},"StringEquals":{"AWS:SourceAccount":"123456789012"}})",
      kFromBucket));
}

TEST(Condition, AMissingKeyFailsUnlessNegatedOrIfExists) {
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}})", kFromBucket));
}

TEST(Condition, BooleansAreWordsOrValues) {
  const RequestContext context{{"lambda:invokedviafunctionurl", "true"}};
  EXPECT_TRUE(holds(R"({"Bool":{"lambda:InvokedViaFunctionUrl":"true"}})", context));
  EXPECT_TRUE(holds(R"({"Bool":{"lambda:InvokedViaFunctionUrl":true}})", context));
  EXPECT_FALSE(holds(R"({"Bool":{"lambda:InvokedViaFunctionUrl":"false"}})", context));
}

TEST(Condition, AnUnknownOperatorIsNotGuessed) {
  EXPECT_FALSE(read_conditions(json::parse(R"({"DateLessThan":{"aws:CurrentTime":"2030-01-01"}})").as_object()));
}

TEST(Condition, WhatIsMalformedIsRefused) {
  for (const char* bad :
       {R"({"StringEquals":"x"})", R"({"StringEquals":{"a":{}}})", R"({"StringEquals":{"a":[null]}})"})
    EXPECT_NE(refusal([&] { read_conditions(json::parse(bad).as_object()); }), "accepted") << bad;
}

}  // namespace
}  // namespace lambent::auth
