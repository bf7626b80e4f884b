// AWS's policies for what Lambda users attach, beside those of managed_policies.cc. See managed_policies.h.
#include "store/managed_policy.h"

namespace lambent::store {
namespace {

constexpr const char* kLambdaSQSQueueExecutionRole = R"json({
    "Statement": [
        {
            "Action": [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Effect": "Allow",
            "Resource": "*"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaKinesisExecutionRole = R"json({
    "Statement": [
        {
            "Action": [
                "kinesis:DescribeStream",
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
                "kinesis:ListStreams",
                "kinesis:SubscribeToShard",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Effect": "Allow",
            "Resource": "*"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaDynamoDBExecutionRole = R"json({
    "Statement": [
        {
            "Action": [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Effect": "Allow",
            "Resource": "*"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaVPCAccessExecutionRole = R"json({
    "Statement": [
        {
            "Action": [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:DeleteNetworkInterface",
                "ec2:AssignPrivateIpAddresses",
                "ec2:UnassignPrivateIpAddresses"
            ],
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "AWSLambdaVPCAccessExecutionPermissions"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaMSKExecutionRole = R"json({
    "Statement": [
        {
            "Action": [
                "kafka:DescribeCluster",
                "kafka:DescribeClusterV2",
                "kafka:GetBootstrapBrokers",
                "ec2:CreateNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeVpcs",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeSubnets",
                "ec2:DescribeSecurityGroups",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents"
            ],
            "Effect": "Allow",
            "Resource": "*"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaRole = R"json({
    "Statement": [
        {
            "Action": [
                "lambda:InvokeFunction"
            ],
            "Effect": "Allow",
            "Resource": [
                "*"
            ]
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kLambdaExecute = R"json({
    "Statement": [
        {
            "Action": [
                "logs:*"
            ],
            "Effect": "Allow",
            "Resource": "arn:aws:logs:*:*:*"
        },
        {
            "Action": [
                "s3:GetObject",
                "s3:PutObject"
            ],
            "Effect": "Allow",
            "Resource": "arn:aws:s3:::*"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kCloudWatchLogsFullAccess = R"json({
    "Statement": [
        {
            "Action": [
                "logs:*",
                "cloudwatch:GenerateQuery",
                "cloudwatch:GenerateQueryResultsSummary",
                "observabilityadmin:GetS3TableIntegration",
                "observabilityadmin:ListS3TableIntegrations",
                "observabilityadmin:ListTelemetryPipelines"
            ],
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "CloudWatchLogsFullAccess"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kCloudWatchLogsReadOnlyAccess = R"json({
    "Statement": [
        {
            "Action": [
                "logs:Describe*",
                "logs:Get*",
                "logs:List*",
                "logs:StartQuery",
                "logs:StopQuery",
                "logs:TestMetricFilter",
                "logs:FilterLogEvents",
                "logs:StartLiveTail",
                "logs:StopLiveTail",
                "cloudwatch:GenerateQuery",
                "cloudwatch:GenerateQueryResultsSummary",
                "observabilityadmin:ListS3TableIntegrations",
                "observabilityadmin:GetS3TableIntegration",
                "observabilityadmin:ListTelemetryPipelines"
            ],
            "Effect": "Allow",
            "Resource": "*",
            "Sid": "CloudWatchLogsReadOnlyAccess"
        }
    ],
    "Version": "2012-10-17"
})json";

constexpr const char* kXRayDaemonWriteAccess = R"json({
    "Statement": [
        {
            "Action": [
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:GetSamplingStatisticSummaries"
            ],
            "Effect": "Allow",
            "Resource": [
                "*"
            ],
            "Sid": "AWSXRayDaemonWriteAccess"
        }
    ],
    "Version": "2012-10-17"
})json";

}  // namespace

std::vector<Policy> lambda_policies() {
  return {
      managed("AWSLambdaSQSQueueExecutionRole", "/service-role/", "ANPAJFWJZI6JNND4TSELK",
              "Provides receive message, delete message, and read attribute access to SQS queues, and write "
              "permissions to CloudWatch logs.",
              kLambdaSQSQueueExecutionRole, "v1", 1529013045, 1529013045),
      managed("AWSLambdaKinesisExecutionRole", "/service-role/", "ANPAJHOLKJPXV4GBRMJUQ",
              "Provides list and read access to Kinesis streams and write permissions to CloudWatch Logs.",
              kLambdaKinesisExecutionRole, "v2", 1428592456, 1542658164),
      managed("AWSLambdaDynamoDBExecutionRole", "/service-role/", "ANPAIP7WNAGMIPYNW4WQG",
              "Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs.",
              kLambdaDynamoDBExecutionRole, "v1", 1428592169, 1428592169),
      managed("AWSLambdaVPCAccessExecutionRole", "/service-role/", "ANPAJVTME3YLVNL72YR2K",
              "Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - "
              "create, describe, delete network interfaces and write permissions to CloudWatch Logs.",
              kLambdaVPCAccessExecutionRole, "v3", 1455232526, 1704494306),
      managed("AWSLambdaMSKExecutionRole", "/service-role/", "ANPAZKAPJZG4E6DCRHBSW",
              "Provides permissions required to access MSK Cluster within a VPC, manage ENIs (create, describe, "
              "delete) in the VPC and write permissions to CloudWatch Logs.",
              kLambdaMSKExecutionRole, "v2", 1597167305, 1659470882),
      managed("AWSLambdaRole", "/service-role/", "ANPAJX4DPCRGTC4NFDUXI", "Default policy for AWS Lambda service role.",
              kLambdaRole, "v1", 1423248088, 1423248088),
      managed("AWSLambdaExecute", "/", "ANPAJE5FX7FQZSU5XAKGO",
              "Provides Put, Get access to S3 and full access to CloudWatch Logs.", kLambdaExecute, "v1", 1423248046,
              1423248046),
      managed("CloudWatchLogsFullAccess", "/", "ANPAJ3ZGNWK2R5HW5BQFO", "Provides full access to CloudWatch Logs",
              kCloudWatchLogsFullAccess, "v8", 1423248002, 1770919233),
      managed("CloudWatchLogsReadOnlyAccess", "/", "ANPAJ2YIYDYSNNEHK3VKW",
              "Provides read only access to CloudWatch Logs", kCloudWatchLogsReadOnlyAccess, "v12", 1423248003,
              1770919153),
      managed("AWSXRayDaemonWriteAccess", "/", "ANPAIOE47HSUE5AHPVNUH",
              "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling "
              "data (rules, targets, etc.) to be used by the X-Ray SDK.",
              kXRayDaemonWriteAccess, "v2", 1535497233, 1707861510),
  };
}

}  // namespace lambent::store
