// CreateUser, GetUser, ListUsers, DeleteUser.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct User {
  // Both absent for root.
  std::optional<std::string> Path;
  std::optional<std::string> UserName;
  std::string UserId;
  std::string Arn;
  aws::Timestamp CreateDate;
  std::optional<std::vector<Tag>> Tags;
};
BOOST_DESCRIBE_STRUCT(User, (), (Path, UserName, UserId, Arn, CreateDate, Tags))

struct CreateUserInput {
  std::optional<std::string> Path;
  std::string UserName;
  std::vector<Tag> Tags;
};
BOOST_DESCRIBE_STRUCT(CreateUserInput, (), (Path, UserName, Tags))
struct CreateUserOutput {
  iam::User User;
};
BOOST_DESCRIBE_STRUCT(CreateUserOutput, (), (User))
base::Task<CreateUserOutput> create_user(Iam& iam, aws::Caller caller, CreateUserInput in);

struct GetUserInput {
  std::optional<std::string> UserName;
};
BOOST_DESCRIBE_STRUCT(GetUserInput, (), (UserName))
struct GetUserOutput {
  iam::User User;
};
BOOST_DESCRIBE_STRUCT(GetUserOutput, (), (User))
base::Task<GetUserOutput> get_user(Iam& iam, aws::Caller caller, GetUserInput in);

struct ListUsersInput {
  std::optional<std::string> PathPrefix;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListUsersInput, (), (PathPrefix, Marker, MaxItems))
struct ListUsersOutput {
  std::vector<User> Users;
  bool IsTruncated = false;
  std::optional<std::string> Marker;
};
BOOST_DESCRIBE_STRUCT(ListUsersOutput, (), (Users, IsTruncated, Marker))
base::Task<ListUsersOutput> list_users(Iam& iam, aws::Caller caller, ListUsersInput in);

struct DeleteUserInput {
  std::string UserName;
};
BOOST_DESCRIBE_STRUCT(DeleteUserInput, (), (UserName))
base::Task<Nothing> delete_user(Iam& iam, aws::Caller caller, DeleteUserInput in);

}  // namespace lambent::iam
