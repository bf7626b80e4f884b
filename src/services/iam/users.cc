#include "services/iam/users.h"

#include "base/bytes.h"
#include "base/ids.h"
#include "services/iam/pages.h"
#include "services/iam/resources.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

User describe(const store::User& user) {
  User wire;
  wire.Path = user.path;
  wire.UserName = user.name;
  wire.UserId = user.id;
  wire.Arn = user.arn();
  wire.CreateDate = {user.created_ms};
  return wire;
}

// As AWS answers it: no name and no path. The account is as old as its oldest root key.
User describe_root(const Iam& iam, const aws::Caller& caller) {
  User wire;
  wire.UserId = caller.account;
  wire.Arn = caller.arn;
  const auto keys = iam.identities().access_keys(caller.account, "");
  wire.CreateDate = {keys.empty() ? 0 : keys.front()->created_ms / 1000 * 1000};
  return wire;
}

}  // namespace

base::Task<CreateUserOutput> create_user(Iam& iam, aws::Caller caller, CreateUserInput in) {
  store::User user;
  user.account = caller.account;
  user.name = in.UserName;
  user.path = in.Path.value_or("/");
  user.id = "AIDA" + base::random_base32(17);
  user.created_ms = iam.now_ms();
  user.tags = checked_tags(in.Tags);
  CreateUserOutput out;
  out.User = describe(user);
  out.User.Tags = wire_tags_if_any(user.tags);
  const auto outcome = co_await iam.identities().create_user(std::move(user));
  if (outcome == store::Change::exists) throw already_exists("User", in.UserName);
  if (outcome == store::Change::limit) throw over_quota("UsersPerAccount", store::quota::kUsersPerAccount);
  co_return out;
}

base::Task<GetUserOutput> get_user(Iam& iam, aws::Caller caller, GetUserInput in) {
  const std::string name = user_name_of(caller, in.UserName);
  GetUserOutput out;
  if (name.empty()) {
    out.User = describe_root(iam, caller);
    co_return out;
  }
  const auto user = iam.identities().user(caller.account, name);
  if (!user) throw no_such_user(name);
  out.User = describe(*user);
  out.User.Tags = wire_tags_if_any(user->tags);
  co_return out;
}

base::Task<ListUsersOutput> list_users(Iam& iam, aws::Caller caller, ListUsersInput in) {
  const auto request = page_request("ListUsers", in.Marker, in.MaxItems);
  auto found = with_path(request, in.PathPrefix.value_or("/"), [&](std::string_view after, std::size_t limit) {
    return iam.identities().users(caller.account, after, limit);
  });
  const auto page = cut(std::move(found), request, [](const auto& user) { return base::lower(user->name); });
  ListUsersOutput out;
  for (const auto& user : page.items) out.Users.push_back(describe(*user));
  out.IsTruncated = page.marker.has_value();
  out.Marker = page.marker;
  co_return out;
}

base::Task<Nothing> delete_user(Iam& iam, aws::Caller caller, DeleteUserInput in) {
  const auto outcome = co_await iam.identities().delete_user(caller.account, in.UserName);
  if (outcome == store::Change::missing) throw no_such_user(in.UserName);
  if (outcome == store::Change::conflict) {
    const auto user = iam.identities().user(caller.account, in.UserName);
    if (user && !user->attached_policies.empty()) throw must_first("detach all policies");
    if (user && !user->inline_policies.empty()) throw must_first("delete policies");
    throw must_first("delete access keys");
  }
  co_return Nothing();
}

}  // namespace lambent::iam
