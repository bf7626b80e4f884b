// The wire structs of the operations on tags and of GetAccountSettings, with AWS's spelling.
#pragma once

#include "services/lambda/shapes.h"

namespace lambent::lambda {

struct TagResourceInput {
  std::string Resource;
  TextMap Tags;
};
BOOST_DESCRIBE_STRUCT(TagResourceInput, (), (Resource, Tags))

struct UntagResourceInput {
  std::string Resource;
  Texts TagKeys;
};
BOOST_DESCRIBE_STRUCT(UntagResourceInput, (), (Resource, TagKeys))

struct ListTagsInput {
  std::string Resource;
};
BOOST_DESCRIBE_STRUCT(ListTagsInput, (), (Resource))

struct ListTagsOutput {
  TextMap Tags;
};
BOOST_DESCRIBE_STRUCT(ListTagsOutput, (), (Tags))

struct GetAccountSettingsInput {};
BOOST_DESCRIBE_STRUCT(GetAccountSettingsInput, (), ())

struct AccountLimit {
  std::int64_t TotalCodeSize = 0;
  std::int64_t CodeSizeUnzipped = 0;
  std::int64_t CodeSizeZipped = 0;
  std::int32_t ConcurrentExecutions = 0;
  std::int32_t UnreservedConcurrentExecutions = 0;
};
BOOST_DESCRIBE_STRUCT(AccountLimit, (),
                      (TotalCodeSize, CodeSizeUnzipped, CodeSizeZipped, ConcurrentExecutions,
                       UnreservedConcurrentExecutions))

struct AccountUsage {
  std::int64_t TotalCodeSize = 0;
  std::int64_t FunctionCount = 0;
};
BOOST_DESCRIBE_STRUCT(AccountUsage, (), (TotalCodeSize, FunctionCount))

struct GetAccountSettingsOutput {
  lambda::AccountLimit AccountLimit;
  lambda::AccountUsage AccountUsage;
};
BOOST_DESCRIBE_STRUCT(GetAccountSettingsOutput, (), (AccountLimit, AccountUsage))

}  // namespace lambent::lambda
