#include "store/managed_policies.h"

#include <iterator>

#include "store/managed_policy.h"

namespace lambent::store {
namespace {

constexpr const char* kAdministratorAccess = R"json({
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
    ]
})json";

constexpr const char* kBasicExecutionRole = R"json({
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Resource": "*"
        }
    ]
})json";

constexpr const char* kLambdaFullAccess = R"json({
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "cloudformation:DescribeStacks",
                "cloudformation:ListStackResources",
                "cloudwatch:ListMetrics",
                "cloudwatch:GetMetricData",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "kms:ListAliases",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoles",
                "lambda:*",
                "logs:DescribeLogGroups",
                "states:DescribeStateMachine",
                "states:ListStateMachines",
                "tag:GetResources",
                "xray:GetTraceSummaries",
                "xray:BatchGetTraces"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "iam:PassedToService": "lambda.amazonaws.com"
                }
            }
        },
        {
            "Effect": "Allow",
            "Action": [
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
                "logs:FilterLogEvents",
                "logs:StartLiveTail",
                "logs:StopLiveTail"
            ],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*"
        }
    ]
})json";

constexpr const char* kLambdaReadOnlyAccess = R"json({
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "cloudformation:DescribeStacks",
                "cloudformation:ListStacks",
                "cloudformation:ListStackResources",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
                "kms:ListAliases",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoles",
                "logs:DescribeLogGroups",
                "lambda:Get*",
                "lambda:List*",
                "states:DescribeStateMachine",
                "states:ListStateMachines",
                "tag:GetResources",
                "xray:GetTraceSummaries",
                "xray:BatchGetTraces"
            ],
            "Resource": "*"
        },
        {
            "Effect": "Allow",
            "Action": [
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
                "logs:FilterLogEvents",
                "logs:StartQuery",
                "logs:StopQuery",
                "logs:DescribeQueries",
                "logs:GetLogGroupFields",
                "logs:GetLogRecord",
                "logs:GetQueryResults",
                "logs:StartLiveTail",
                "logs:StopLiveTail"
            ],
            "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*"
        }
    ]
})json";

}  // namespace

Policy managed(const char* name, const char* path, const char* id, const char* description, const char* document,
               const char* version, std::int64_t created_s, std::int64_t updated_s) {
  Policy policy;
  policy.account = "aws";
  policy.name = name;
  policy.path = path;
  policy.id = id;
  policy.description = description;
  policy.document = document;
  policy.version = version;
  policy.created_ms = created_s * 1000;
  policy.updated_ms = updated_s * 1000;
  policy.versions.push_back({policy.version, document, policy.updated_ms});
  return policy;
}

// Names, documents, versions and dates as in the AWS Managed Policy Reference Guide; the ids stand for AWS's own.
const std::vector<Policy>& managed_policies() {
  static const std::vector<Policy> list = [] {
    std::vector<Policy> all = {
        managed("AdministratorAccess", "/", "ANPAIWMBCKSKIEE64ZLYK",
                "Provides full access to AWS services and resources.", kAdministratorAccess, "v1", 1423248006,
                1423248006),
        managed("AWSLambdaBasicExecutionRole", "/service-role/", "ANPAJNCQGXC42545SKXIK",
                "Provides write permissions to CloudWatch Logs.", kBasicExecutionRole, "v1", 1428591752, 1428591752),
        managed(
            "AWSLambda_FullAccess", "/", "ANPAZKAPJZG4ONY2BXS6L",
            "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
            kLambdaFullAccess, "v2", 1605647640, 1742247420),
        managed("AWSLambda_ReadOnlyAccess", "/", "ANPAZKAPJZG4OQDJ7XJKP",
                "Grants read-only access to AWS Lambda service, AWS Lambda console features, and other related AWS "
                "services.",
                kLambdaReadOnlyAccess, "v3", 1605647400, 1742245620),
    };
    std::vector<Policy> more = lambda_policies();
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    all.push_back(read_only_access());
    return all;
  }();
  return list;
}

}  // namespace lambent::store
