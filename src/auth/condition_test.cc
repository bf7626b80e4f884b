#include "auth/condition.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "auth/refusal_matcher.h"

namespace lambent::auth {
namespace {

namespace json = boost::json;

/// Do all conditions of the element hold?
bool holds(const std::string& element, const RequestContext& context) {
  const auto conditions = read_conditions(json::parse(element).as_object(), true);
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

TEST(Condition, ArnsMatchPartByPart) {
  EXPECT_TRUE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:*:s3:*:*:photos"}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"ArnLike":{"aws:SourceArn":"*"}})", kFromBucket));
  EXPECT_FALSE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:*"}})", kFromBucket))
      << "no wildcard reaches over a colon";
  EXPECT_TRUE(holds(R"({"StringLike":{"aws:SourceArn":"arn:aws:*"}})", kFromBucket));
  const RequestContext function{{"aws:sourcearn", "arn:aws:lambda:us-east-1:123456789012:function:f:live"}};
  EXPECT_TRUE(holds(R"({"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:123456789012:function:*"}})", function))
      << "but in the resource";
}

TEST(Condition, NumbersCompare) {
  const RequestContext context{{"k", "10"}, {"word", "ten"}};
  EXPECT_TRUE(holds(R"({"NumericEquals":{"k":"10.0"}})", context));
  EXPECT_TRUE(holds(R"({"NumericNotEquals":{"k":[9,11]}})", context));
  EXPECT_FALSE(holds(R"({"NumericNotEquals":{"k":[9,10]}})", context));
  EXPECT_TRUE(holds(R"({"NumericLessThan":{"k":"10.5"}})", context));
  EXPECT_FALSE(holds(R"({"NumericLessThan":{"k":10}})", context));
  EXPECT_TRUE(holds(R"({"NumericLessThanEquals":{"k":10}})", context));
  EXPECT_TRUE(holds(R"({"NumericGreaterThan":{"k":"9"}})", context));
  EXPECT_TRUE(holds(R"({"NumericGreaterThanEquals":{"k":"10"}})", context));
  EXPECT_FALSE(holds(R"({"NumericEquals":{"word":"10"}})", context)) << "what is no number equals none";
}

TEST(Condition, DatesCompareInEveryForm) {
  const RequestContext context{{"aws:currenttime", "2026-01-31T12:00:00Z"}, {"aws:epochtime", "1769860800"}};
  EXPECT_TRUE(holds(R"({"DateGreaterThan":{"aws:CurrentTime":"2026-01-31"}})", context));
  EXPECT_TRUE(holds(R"({"DateLessThan":{"aws:CurrentTime":"2026-01-31T12:00:00.5Z"}})", context));
  EXPECT_TRUE(holds(R"({"DateEquals":{"aws:CurrentTime":"2026-01-31T14:00:00+02:00"}})", context));
  EXPECT_TRUE(holds(R"({"DateEquals":{"aws:CurrentTime":"1769860800"}})", context));
  EXPECT_TRUE(holds(R"({"DateLessThanEquals":{"aws:EpochTime":"2026-01-31T12:00:00Z"}})", context));
  EXPECT_TRUE(holds(R"({"DateGreaterThanEquals":{"aws:EpochTime":"2026-01-31T07:00-0500"}})", context));
  EXPECT_FALSE(holds(R"({"DateNotEquals":{"aws:CurrentTime":"2026-01-31T12:00:00Z"}})", context));
  for (const char* none :
       {"", "2026-1-31", "2026-02-30", "2026-01-31T25:00Z", "2026-01-31T12:00:00Q", "tomorrow", "1e999"})
    EXPECT_EQ(parse_condition_date(none), std::nullopt) << none;
}

TEST(Condition, AddressesLieInBlocks) {
  const RequestContext four{{"aws:sourceip", "203.0.113.7"}}, six{{"aws:sourceip", "2001:db8:1::7"}};
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","203.0.113.0/24"]}})", four));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"203.0.113.7"}})", four));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"203.0.113.8/31"}})", four));
  EXPECT_TRUE(holds(R"({"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})", four));
  EXPECT_FALSE(holds(R"({"NotIpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", four));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"2001:db8::/32"}})", six));
  EXPECT_FALSE(holds(R"({"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}})", six));
  EXPECT_TRUE(holds(R"({"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}})", {{"aws:sourceip", "::ffff:203.0.113.7"}}));
}

TEST(Condition, NullAsksWhetherAKeyIsThere) {
  EXPECT_TRUE(holds(R"({"Null":{"aws:SourceArn":"false"}})", kFromBucket));
  EXPECT_FALSE(holds(R"({"Null":{"aws:SourceArn":true}})", kFromBucket));
  EXPECT_TRUE(holds(R"({"Null":{"aws:TokenIssueTime":"true"}})", kFromBucket));
}

// IAM User Guide, "Set operators for multi-valued context keys", its tables.
TEST(Condition, SetOperatorsAskOfEveryValue) {
  const RequestContext two{{"aws:tagkeys", std::vector<std::string>{"environment", "cost"}}}, none;
  const auto asked = [](const std::string& how, const std::string& values) {
    return "{\"" + how + "\":{\"aws:TagKeys\":" + values + "}}";
  };
  EXPECT_TRUE(holds(asked("ForAllValues:StringEquals", R"(["cost","environment","owner"])"), two));
  EXPECT_FALSE(holds(asked("ForAllValues:StringEquals", R"(["cost","owner"])"), two));
  EXPECT_TRUE(holds(asked("ForAnyValue:StringEquals", R"(["cost","owner"])"), two));
  EXPECT_FALSE(holds(asked("ForAnyValue:StringEquals", R"(["owner"])"), two));
  EXPECT_TRUE(holds(asked("ForAllValues:StringNotEquals", R"(["owner"])"), two));
  EXPECT_FALSE(holds(asked("ForAllValues:StringNotEquals", R"(["cost"])"), two));
  EXPECT_TRUE(holds(asked("ForAnyValue:StringNotEquals", R"(["cost"])"), two));
  EXPECT_TRUE(holds(asked("ForAnyValue:StringLike", R"("env*")"), two));
  // "ForAllValues also returns true if there are no context keys in the request"; ForAnyValue does not.
  EXPECT_TRUE(holds(asked("ForAllValues:StringEquals", R"(["cost"])"), none));
  EXPECT_TRUE(holds(asked("ForAllValues:StringNotEquals", R"(["cost"])"), none));
  EXPECT_FALSE(holds(asked("ForAnyValue:StringEquals", R"(["cost"])"), none));
  EXPECT_FALSE(holds(asked("ForAnyValue:StringNotEquals", R"(["cost"])"), none));
  EXPECT_TRUE(holds(asked("ForAnyValue:StringEqualsIfExists", R"(["cost"])"), none));
}

TEST(Condition, AMissingKeyIsTheOperatorsBusiness) {
  const RequestContext none;
  for (const char* negated : {"StringNotLike", "ArnNotEquals", "NotIpAddress", "NumericNotEquals", "DateNotEquals"}) {
    const std::string value = std::string(negated) == "NotIpAddress" ? "10.0.0.0/8" : "1";
    EXPECT_TRUE(holds("{\"" + std::string(negated) + R"(":{"k":")" + value + "\"}}", none)) << negated;
  }
  for (const char* plain : {"NumericLessThan", "DateGreaterThan", "Bool", "ArnLike", "BinaryEquals"}) {
    EXPECT_FALSE(holds("{\"" + std::string(plain) + R"(":{"k":"1"}})", none)) << plain;
    EXPECT_TRUE(holds("{\"" + std::string(plain) + R"(IfExists":{"k":"1"}})", none)) << plain;
  }
}

TEST(Condition, AnUnknownOperatorIsNotGuessed) {
  for (const char* unknown : {"StringMatches", "NullIfExists", "ForAllValues:Null", "ForSomeValues:StringEquals", ""})
    EXPECT_FALSE(read_conditions(json::object{{unknown, json::object{{"k", "true"}}}})) << unknown;
}

const RequestContext kByAnn{{"aws:username", "ann"},
                            {"aws:principaltag/team", "blue"},
                            {"aws:principaltag/star", "*"},
                            {"aws:principalarn", "arn:aws:iam::123456789012:user/ann"},
                            {"aws:resourcetag/owner", "ann"},
                            {"aws:resourcetag/team", "Blue"},
                            {"aws:resourcetag/path", "home/ann/x"},
                            {"aws:resourcetag/arn", "arn:aws:iam::123456789012:user/ann"}};

TEST(Condition, VariablesTakeTheRequestsValues) {
  EXPECT_TRUE(holds(R"({"StringEquals":{"aws:ResourceTag/owner":"${aws:username}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringEquals":{"aws:ResourceTag/owner":["x","${AWS:UserName}"]}})", kByAnn));
  EXPECT_FALSE(holds(R"({"StringNotEquals":{"aws:ResourceTag/owner":"${aws:username}"}})", kByAnn));
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringEqualsIgnoreCase":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringLike":{"aws:ResourceTag/path":"home/${aws:username}/*"}})", kByAnn));
  EXPECT_FALSE(holds(R"({"StringLike":{"aws:ResourceTag/path":"home/${aws:PrincipalTag/team}/*"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"ArnEquals":{"aws:ResourceTag/arn":"${aws:PrincipalArn}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"ArnLike":{"aws:ResourceTag/arn":"arn:aws:iam::*:user/${aws:username}"}})", kByAnn));
}

TEST(Condition, WhatAVariableBringsIsNoWildcard) {
  EXPECT_FALSE(holds(R"({"StringLike":{"aws:ResourceTag/owner":"${aws:PrincipalTag/star}"}})", kByAnn));
  EXPECT_FALSE(holds(R"({"StringLike":{"aws:ResourceTag/owner":"${*}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringLike":{"aws:PrincipalTag/star":"${*}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringEquals":{"k":"${*}${?}${$}{x}"}})", {{"k", "*?${x}"}}));
}

// "Policy variables with no value": not equal to and not like anything.
TEST(Condition, AVariableWithoutAValueEqualsNothing) {
  EXPECT_FALSE(holds(R"({"StringEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}})", kByAnn));
  EXPECT_FALSE(holds(R"({"StringLike":{"aws:ResourceTag/owner":"*${aws:PrincipalTag/x}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringNotEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"ArnNotLike":{"aws:ResourceTag/arn":"${aws:PrincipalTag/x}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringEquals":{"aws:ResourceTag/owner":"${aws:PrincipalTag/x, 'ann'}"}})", kByAnn));
  EXPECT_TRUE(holds(R"({"StringEquals":{"aws:ResourceTag/owner":["${aws:PrincipalTag/x}","ann"]}})", kByAnn));
}

TEST(Condition, InDocumentsOf2008AVariableIsText) {
  const auto element = json::parse(R"({"StringEquals":{"k":"${aws:username}"}})").as_object();
  const auto conditions = read_conditions(element, false);
  ASSERT_TRUE(conditions);
  EXPECT_TRUE(conditions->front().holds({{"k", "${aws:username}"}, {"aws:username", "ann"}}));
  EXPECT_FALSE(conditions->front().holds({{"k", "ann"}, {"aws:username", "ann"}}));
}

TEST(Condition, WhatIsMalformedIsRefused) {
  for (const char* bad :
       {R"({"StringEquals":"x"})", R"({"StringEquals":{"a":{}}})", R"({"StringEquals":{"a":[null]}})",
        R"({"NumericEquals":{"a":"ten"}})", R"({"DateEquals":{"a":"soon"}})", R"({"IpAddress":{"a":"10.0.0.0/33"}})",
        R"({"IpAddress":{"a":"here"}})", R"({"Null":{"a":"maybe"}})", R"({"Null":{"a":["true","false"]}})"})
    EXPECT_NE(refusal([&] { read_conditions(json::parse(bad).as_object()); }), "accepted") << bad;
}

}  // namespace
}  // namespace lambent::auth
