#include "services/iam/user_belongings.h"

#include <fmt/format.h>

#include "services/iam/resources.h"
#include "services/iam/words.h"

namespace lambent::iam {
namespace {

/// The user in its own spelling, empty for root. Throws NoSuchEntity.
std::string existing(const Iam& iam, const aws::Caller& caller, const std::optional<std::string>& name) {
  const std::string wanted = user_name_of(caller, name);
  if (wanted.empty()) return wanted;
  const auto user = iam.identities().user(caller.account, wanted);
  if (!user) throw no_such_user(wanted);
  return user->name;
}

}  // namespace

base::Task<ListGroupsForUserOutput> list_groups_for_user(Iam& iam, aws::Caller caller, UserBelongingsInput in) {
  existing(iam, caller, in.UserName);
  co_return ListGroupsForUserOutput();
}

base::Task<ListSshPublicKeysOutput> list_ssh_public_keys(Iam& iam, aws::Caller caller, UserBelongingsInput in) {
  existing(iam, caller, in.UserName);
  co_return ListSshPublicKeysOutput();
}

base::Task<ListMfaDevicesOutput> list_mfa_devices(Iam& iam, aws::Caller caller, UserBelongingsInput in) {
  existing(iam, caller, in.UserName);
  co_return ListMfaDevicesOutput();
}

base::Task<ListVirtualMfaDevicesOutput> list_virtual_mfa_devices(Iam&, aws::Caller, ListVirtualMfaDevicesInput) {
  co_return ListVirtualMfaDevicesOutput();
}

std::string all_mfa_devices(const aws::Caller&, const ListVirtualMfaDevicesInput&) { return "*"; }

base::Task<ListSigningCertificatesOutput> list_signing_certificates(Iam& iam, aws::Caller caller,
                                                                    UserBelongingsInput in) {
  existing(iam, caller, in.UserName);
  co_return ListSigningCertificatesOutput();
}

base::Task<ListServiceSpecificCredentialsOutput> list_service_specific_credentials(Iam& iam, aws::Caller caller,
                                                                                   ServiceSpecificCredentialsInput in) {
  existing(iam, caller, in.UserName);
  co_return ListServiceSpecificCredentialsOutput();
}

base::Task<Nothing> delete_login_profile(Iam& iam, aws::Caller caller, LoginProfileInput in) {
  const auto name = existing(iam, caller, in.UserName);
  throw aws::Error("NoSuchEntity", fmt::format("Login Profile for User {} cannot be found.", name), 404);
  co_return Nothing{};
}

}  // namespace lambent::iam
