// What users have on AWS and no user has here: groups, passwords, second factors, keys for other services. The lists are empty,
// which is the truth; deployment tools ask for them before they delete a user. Making one is answered 501.
#pragma once

#include "aws/caller.h"
#include "services/iam/iam.h"
#include "services/iam/shapes.h"

namespace lambent::iam {

struct UserBelongingsInput {
  std::optional<std::string> UserName;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(UserBelongingsInput, (), (UserName, Marker, MaxItems))

struct Group {
  std::string GroupName;
};
BOOST_DESCRIBE_STRUCT(Group, (), (GroupName))
struct ListGroupsForUserOutput {
  std::vector<Group> Groups;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListGroupsForUserOutput, (), (Groups, IsTruncated))
base::Task<ListGroupsForUserOutput> list_groups_for_user(Iam& iam, aws::Caller caller, UserBelongingsInput in);

struct SshPublicKey {
  std::string SSHPublicKeyId;
};
BOOST_DESCRIBE_STRUCT(SshPublicKey, (), (SSHPublicKeyId))
struct ListSshPublicKeysOutput {
  std::vector<SshPublicKey> SSHPublicKeys;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListSshPublicKeysOutput, (), (SSHPublicKeys, IsTruncated))
base::Task<ListSshPublicKeysOutput> list_ssh_public_keys(Iam& iam, aws::Caller caller, UserBelongingsInput in);

struct MfaDevice {
  std::string SerialNumber;
};
BOOST_DESCRIBE_STRUCT(MfaDevice, (), (SerialNumber))
struct ListMfaDevicesOutput {
  std::vector<MfaDevice> MFADevices;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListMfaDevicesOutput, (), (MFADevices, IsTruncated))
base::Task<ListMfaDevicesOutput> list_mfa_devices(Iam& iam, aws::Caller caller, UserBelongingsInput in);

struct ListVirtualMfaDevicesInput {
  std::optional<std::string> AssignmentStatus;
  std::optional<std::string> Marker;
  std::optional<std::int32_t> MaxItems;
};
BOOST_DESCRIBE_STRUCT(ListVirtualMfaDevicesInput, (), (AssignmentStatus, Marker, MaxItems))
struct ListVirtualMfaDevicesOutput {
  std::vector<MfaDevice> VirtualMFADevices;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListVirtualMfaDevicesOutput, (), (VirtualMFADevices, IsTruncated))
base::Task<ListVirtualMfaDevicesOutput> list_virtual_mfa_devices(Iam& iam, aws::Caller caller,
                                                                 ListVirtualMfaDevicesInput in);
std::string all_mfa_devices(const aws::Caller& caller, const ListVirtualMfaDevicesInput& in);

struct SigningCertificate {
  std::string CertificateId;
};
BOOST_DESCRIBE_STRUCT(SigningCertificate, (), (CertificateId))
struct ListSigningCertificatesOutput {
  std::vector<SigningCertificate> Certificates;
  bool IsTruncated = false;
};
BOOST_DESCRIBE_STRUCT(ListSigningCertificatesOutput, (), (Certificates, IsTruncated))
base::Task<ListSigningCertificatesOutput> list_signing_certificates(Iam& iam, aws::Caller caller,
                                                                    UserBelongingsInput in);

struct ServiceSpecificCredentialsInput {
  std::optional<std::string> UserName;
  std::optional<std::string> ServiceName;
};
BOOST_DESCRIBE_STRUCT(ServiceSpecificCredentialsInput, (), (UserName, ServiceName))
struct ServiceSpecificCredential {
  std::string ServiceSpecificCredentialId;
};
BOOST_DESCRIBE_STRUCT(ServiceSpecificCredential, (), (ServiceSpecificCredentialId))
struct ListServiceSpecificCredentialsOutput {
  std::vector<ServiceSpecificCredential> ServiceSpecificCredentials;
};
BOOST_DESCRIBE_STRUCT(ListServiceSpecificCredentialsOutput, (), (ServiceSpecificCredentials))
base::Task<ListServiceSpecificCredentialsOutput> list_service_specific_credentials(Iam& iam, aws::Caller caller,
                                                                                   ServiceSpecificCredentialsInput in);

struct LoginProfileInput {
  std::optional<std::string> UserName;
};
BOOST_DESCRIBE_STRUCT(LoginProfileInput, (), (UserName))
/// There is none: NoSuchEntity.
base::Task<Nothing> delete_login_profile(Iam& iam, aws::Caller caller, LoginProfileInput in);

}  // namespace lambent::iam
