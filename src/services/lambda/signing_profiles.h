// Signing profiles, which here are certificates of the server's configuration, and what they say about an archive.
//
// AWS Signer's profile versions are named by ARN; so is a certificate here, either as given (ARN=FILE) or, given a NAME, as
// arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION for every region and account, where VERSION is the beginning of the
// certificate's fingerprint: another certificate is another version. Made at start, immutable then, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cms.h"

namespace lambent::lambda {

/// What an archive's own signature proves.
struct CodeSignature {
  enum class State {
    /// There is none.
    missing,
    /// By nobody who has a profile here.
    unknown_signer,
    /// Of one who has, but the archive was changed since; or nothing that could be a signature.
    broken,
    /// Whole, by one who has a profile whose certificate's time is not now.
    expired,
    good,
  };
  State state = State::missing;
  /// Of the signer, as SigningProfiles counts them; set for expired and good.
  std::vector<std::size_t> profiles;
  /// Of the first profile, and of the signature (a UUID made of its digest stands in AWS's place for the job); set with `profiles`.
  std::string profile_version_arn;
  std::string job_arn;
};

/// In whose names archives are: the owner of the function or layer.
struct CodeOwner {
  std::string account;
  std::string region;
};

class SigningProfiles {
 public:
  /// `name`: an ARN of arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION, or a NAME of 2 to 64 letters, digits and '_'.
  /// Throws std::invalid_argument with words for the user. Before the first request.
  void add(const std::string& name, std::string_view certificate_pem);

  bool empty() const { return certificates_.empty(); }
  /// The ARN of each, of an account and region where it was named without; for the log at start.
  std::vector<std::string> arns(const CodeOwner& owner) const;
  /// Which profile the ARN names.
  std::optional<std::size_t> find(std::string_view arn) const;

  /// Checks the archive's signature if it has one. Throws store::BadArchive. Blocks: unpacks everything once more.
  CodeSignature judge(std::string_view zip, const CodeOwner& owner, std::int64_t now_s) const;

 private:
  std::string arn(std::size_t profile, const CodeOwner& owner) const;

  /// Side by side: an ARN, or "/signing-profiles/NAME/VERSION" for one in every region and account.
  std::vector<std::string> names_;
  std::vector<base::Certificate> certificates_;
};

}  // namespace lambent::lambda
