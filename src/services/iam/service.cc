#include "services/iam/access_keys.h"
#include "services/iam/attachments.h"
#include "services/iam/iam.h"
#include "services/iam/inline_policies.h"
#include "services/iam/policies.h"
#include "services/iam/policy_lists.h"
#include "services/iam/policy_versions.h"
#include "services/iam/request_keys.h"
#include "services/iam/resources.h"
#include "services/iam/roles.h"
#include "services/iam/tags.h"
#include "services/iam/user_belongings.h"
#include "services/iam/users.h"

namespace lambent::iam {

aws::Service iam_service(Iam& iam) {
  using aws::operation;
  return aws::service(
      "iam", iam,
      {
          operation("CreateUser", create_user, new_user).with_keys(tags_asked<CreateUserInput>),
          operation("GetUser", get_user, existing_user),
          operation("ListUsers", list_users, all_users),
          operation("DeleteUser", delete_user, existing_user),

          operation("ListGroupsForUser", list_groups_for_user, existing_user),
          operation("ListSSHPublicKeys", list_ssh_public_keys, existing_user),
          operation("ListMFADevices", list_mfa_devices, existing_user),
          operation("ListVirtualMFADevices", list_virtual_mfa_devices, all_mfa_devices),
          operation("ListSigningCertificates", list_signing_certificates, existing_user),
          operation("ListServiceSpecificCredentials", list_service_specific_credentials, existing_user),
          operation("DeleteLoginProfile", delete_login_profile, existing_user),

          operation("CreateAccessKey", create_access_key, existing_user),
          operation("ListAccessKeys", list_access_keys, existing_user),
          operation("UpdateAccessKey", update_access_key, existing_user),
          operation("DeleteAccessKey", delete_access_key, existing_user),

          operation("CreateRole", create_role, new_role).with_keys(tags_asked<CreateRoleInput>),
          operation("GetRole", get_role, existing_role),
          operation("ListRoles", list_roles, all_roles),
          operation("DeleteRole", delete_role, existing_role),
          operation("UpdateAssumeRolePolicy", update_assume_role_policy, existing_role),
          operation("UpdateRole", update_role, existing_role),
          operation("UpdateRoleDescription", update_role_description, existing_role),
          operation("ListInstanceProfilesForRole", list_instance_profiles_for_role, existing_role),

          operation("TagRole", tag_role, existing_role).with_keys(tags_asked<TagRoleInput>),
          operation("UntagRole", untag_role, existing_role).with_keys(tag_keys_asked<UntagRoleInput>),
          operation("ListRoleTags", list_role_tags, existing_role),
          operation("TagUser", tag_user, existing_user).with_keys(tags_asked<TagUserInput>),
          operation("UntagUser", untag_user, existing_user).with_keys(tag_keys_asked<UntagUserInput>),
          operation("ListUserTags", list_user_tags, existing_user),
          operation("TagPolicy", tag_policy, named_policy).with_keys(tags_asked<TagPolicyInput>),
          operation("UntagPolicy", untag_policy, named_policy).with_keys(tag_keys_asked<UntagPolicyInput>),
          operation("ListPolicyTags", list_policy_tags, named_policy),

          operation("CreatePolicy", create_policy, new_policy).with_keys(tags_asked<CreatePolicyInput>),
          operation("GetPolicy", get_policy, named_policy),
          operation("ListPolicies", list_policies, all_policies),
          operation("DeletePolicy", delete_policy, named_policy),
          operation("ListEntitiesForPolicy", list_entities_for_policy, named_policy),
          operation("GetPolicyVersion", get_policy_version, named_policy),
          operation("CreatePolicyVersion", create_policy_version, named_policy),
          operation("ListPolicyVersions", list_policy_versions, named_policy),
          operation("SetDefaultPolicyVersion", set_default_policy_version, named_policy),
          operation("DeletePolicyVersion", delete_policy_version, named_policy),

          operation("PutUserPolicy", put_user_policy, existing_user),
          operation("GetUserPolicy", get_user_policy, existing_user),
          operation("DeleteUserPolicy", delete_user_policy, existing_user),
          operation("ListUserPolicies", list_user_policies, existing_user),
          operation("PutRolePolicy", put_role_policy, existing_role),
          operation("GetRolePolicy", get_role_policy, existing_role),
          operation("DeleteRolePolicy", delete_role_policy, existing_role),
          operation("ListRolePolicies", list_role_policies, existing_role),

          operation("AttachUserPolicy", attach_user_policy, existing_user).with_keys(policy_asked<UserAttachmentInput>),
          operation("DetachUserPolicy", detach_user_policy, existing_user).with_keys(policy_asked<UserAttachmentInput>),
          operation("ListAttachedUserPolicies", list_attached_user_policies, existing_user),
          operation("AttachRolePolicy", attach_role_policy, existing_role).with_keys(policy_asked<RoleAttachmentInput>),
          operation("DetachRolePolicy", detach_role_policy, existing_role).with_keys(policy_asked<RoleAttachmentInput>),
          operation("ListAttachedRolePolicies", list_attached_role_policies, existing_role),
      });
}

}  // namespace lambent::iam
