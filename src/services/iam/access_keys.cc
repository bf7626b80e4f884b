#include "services/iam/access_keys.h"

#include "base/bytes.h"
#include "base/ids.h"
#include "services/iam/pages.h"
#include "services/iam/resources.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

const char* status_of(bool active) { return active ? "Active" : "Inactive"; }

/// The owner's name in its own spelling, empty for root. Throws NoSuchEntity.
std::string owner_of(const Iam& iam, const aws::Caller& caller, const std::optional<std::string>& name) {
  const std::string wanted = user_name_of(caller, name);
  if (wanted.empty()) return wanted;
  const auto user = iam.identities().user(caller.account, wanted);
  if (!user) throw no_such_user(wanted);
  return user->name;
}

/// Throws NoSuchEntity when the key is not the owner's: nobody learns of keys elsewhere.
void require_key_of(const Iam& iam, const aws::Caller& caller, const std::string& owner, const std::string& id) {
  const auto key = iam.identities().access_key(id);
  if (!key || key->account != caller.account || key->user_name != owner) throw no_such_access_key(id);
}

}  // namespace

base::Task<CreateAccessKeyOutput> create_access_key(Iam& iam, aws::Caller caller, CreateAccessKeyInput in) {
  store::AccessKey key;
  key.user_name = owner_of(iam, caller, in.UserName);
  key.account = caller.account;
  key.id = "AKIA" + base::random_base32(16);
  // 30 bytes are 40 characters of base64 without padding, as AWS's secrets are.
  key.secret = base::base64(base::random_bytes(30));
  key.created_ms = iam.now_ms();
  CreateAccessKeyOutput out;
  out.AccessKey = {key.user_name, key.id, status_of(true), key.secret, {key.created_ms}};
  const auto outcome = co_await iam.identities().create_access_key(std::move(key));
  if (outcome == store::Change::missing) throw no_such_user(out.AccessKey.UserName);
  if (outcome == store::Change::limit) throw over_quota("AccessKeysPerUser", store::quota::kAccessKeysPerUser);
  // 80 random bits met by chance: better refused than an answer with somebody else's key.
  if (outcome != store::Change::done) throw aws::Error("ServiceFailure", "The request processing has failed.", 500);
  co_return out;
}

base::Task<ListAccessKeysOutput> list_access_keys(Iam& iam, aws::Caller caller, ListAccessKeysInput in) {
  const auto request = page_request("ListAccessKeys", in.Marker, in.MaxItems);
  const std::string owner = owner_of(iam, caller, in.UserName);
  auto keys = iam.identities().access_keys(caller.account, owner);
  const auto by_id = [](const auto& key) { return key->id; };
  std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) { return by_id(a) < by_id(b); });
  const auto page = cut(std::move(keys), request, by_id);
  ListAccessKeysOutput out;
  for (const auto& key : page.items) {
    AccessKeyMetadata metadata;
    if (!owner.empty()) metadata.UserName = owner;
    metadata.AccessKeyId = key->id;
    metadata.Status = status_of(key->active);
    metadata.CreateDate = {key->created_ms / 1000 * 1000};
    out.AccessKeyMetadata.push_back(std::move(metadata));
  }
  out.IsTruncated = page.marker.has_value();
  out.Marker = page.marker;
  co_return out;
}

base::Task<Nothing> update_access_key(Iam& iam, aws::Caller caller, UpdateAccessKeyInput in) {
  const std::string owner = owner_of(iam, caller, in.UserName);
  require_key_of(iam, caller, owner, in.AccessKeyId);
  if (in.Status != "Active" && in.Status != "Inactive") throw invalid_input("Status must be Active or Inactive.");
  const auto outcome = co_await iam.identities().set_access_key_active(in.AccessKeyId, in.Status == "Active");
  if (outcome == store::Change::missing) throw no_such_access_key(in.AccessKeyId);
  co_return Nothing();
}

base::Task<Nothing> delete_access_key(Iam& iam, aws::Caller caller, DeleteAccessKeyInput in) {
  const std::string owner = owner_of(iam, caller, in.UserName);
  require_key_of(iam, caller, owner, in.AccessKeyId);
  const auto outcome = co_await iam.identities().delete_access_key(in.AccessKeyId);
  if (outcome == store::Change::missing) throw no_such_access_key(in.AccessKeyId);
  co_return Nothing();
}

}  // namespace lambent::iam
