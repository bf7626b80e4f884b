// CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey: each for a named user or, without a name, the caller.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct AccessKey {
  /// Empty for root's.
  std::string UserName;
  std::string AccessKeyId;
  std::string Status;
  std::string SecretAccessKey;
  aws::Timestamp CreateDate;
};
BOOST_DESCRIBE_STRUCT(AccessKey, (), (UserName, AccessKeyId, Status, SecretAccessKey, CreateDate))

struct AccessKeyMetadata {
  std::optional<std::string> UserName;
  std::string AccessKeyId;
  std::string Status;
  aws::Timestamp CreateDate;
};
BOOST_DESCRIBE_STRUCT(AccessKeyMetadata, (), (UserName, AccessKeyId, Status, CreateDate))

struct CreateAccessKeyInput {
  std::optional<std::string> UserName;
};
BOOST_DESCRIBE_STRUCT(CreateAccessKeyInput, (), (UserName))
struct CreateAccessKeyOutput {
  iam::AccessKey AccessKey;
};
BOOST_DESCRIBE_STRUCT(CreateAccessKeyOutput, (), (AccessKey))
base::Task<CreateAccessKeyOutput> create_access_key(Iam& iam, aws::Caller caller, CreateAccessKeyInput in);

struct ListAccessKeysInput {
  std::optional<std::string> UserName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListAccessKeysInput, (), (UserName, Marker, MaxItems))
struct ListAccessKeysOutput {
  std::vector<iam::AccessKeyMetadata> AccessKeyMetadata;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListAccessKeysOutput, (), (AccessKeyMetadata, IsTruncated, Marker))
base::Task<ListAccessKeysOutput> list_access_keys(Iam& iam, aws::Caller caller, ListAccessKeysInput in);

struct UpdateAccessKeyInput {
  std::optional<std::string> UserName;
  std::string AccessKeyId;
  std::string Status;
};
BOOST_DESCRIBE_STRUCT(UpdateAccessKeyInput, (), (UserName, AccessKeyId, Status))
base::Task<Nothing> update_access_key(Iam& iam, aws::Caller caller, UpdateAccessKeyInput in);

struct DeleteAccessKeyInput {
  std::optional<std::string> UserName;
  std::string AccessKeyId;
};
BOOST_DESCRIBE_STRUCT(DeleteAccessKeyInput, (), (UserName, AccessKeyId))
base::Task<Nothing> delete_access_key(Iam& iam, aws::Caller caller, DeleteAccessKeyInput in);

}  // namespace lambent::iam
