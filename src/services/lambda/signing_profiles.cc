#include "services/lambda/signing_profiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "aws/arn.h"
#include "base/digest.h"
#include "store/code/signed_archive.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kProfiles = "/signing-profiles/";
/// As long as AWS Signer's versions are.
constexpr std::size_t kVersionLength = 10;
constexpr std::size_t kMaxProfiles = 1000;

bool is_profile_name(std::string_view text) {
  return text.size() >= 2 && text.size() <= 64 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
         });
}

/// "/signing-profiles/NAME/VERSION"
bool is_profile_version(std::string_view resource) {
  if (!resource.starts_with(kProfiles)) return false;
  const auto rest = resource.substr(kProfiles.size());
  const auto slash = rest.find('/');
  return slash != std::string_view::npos && is_profile_name(rest.substr(0, slash)) &&
         is_profile_name(rest.substr(slash + 1));
}

std::string uuid_of(std::string_view bytes) {
  const auto hex = base::sha256_hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

}  // namespace

void SigningProfiles::add(const std::string& name, std::string_view certificate_pem) {
  auto certificate = base::Certificate::parse(certificate_pem);
  std::string full = name;
  if (name.starts_with("arn:")) {
    const auto parsed = aws::Arn::parse(name);
    if (!parsed || parsed->service != "signer" || !is_profile_version(parsed->resource))
      throw std::invalid_argument("a profile's ARN is arn:aws:signer:REGION:ACCOUNT:/signing-profiles/NAME/VERSION");
  } else {
    if (!is_profile_name(name))
      throw std::invalid_argument("a profile is an ARN or a name of 2 to 64 letters, digits and underscores");
    full = fmt::format("{}{}/{}", kProfiles, name, certificate.fingerprint().substr(0, kVersionLength));
  }
  if (std::ranges::find(names_, full) != names_.end())
    throw std::invalid_argument(fmt::format("{} is there twice", full));
  if (names_.size() >= kMaxProfiles) throw std::invalid_argument("there are more than 1000 profiles");
  names_.push_back(std::move(full));
  certificates_.push_back(std::move(certificate));
}

std::string SigningProfiles::arn(std::size_t profile, const CodeOwner& owner) const {
  const std::string& name = names_[profile];
  return name.starts_with("arn:") ? name : fmt::format("arn:aws:signer:{}:{}:{}", owner.region, owner.account, name);
}

std::vector<std::string> SigningProfiles::arns(const CodeOwner& owner) const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < names_.size(); ++i) all.push_back(arn(i, owner));
  return all;
}

std::optional<std::size_t> SigningProfiles::find(std::string_view arn) const {
  const auto parsed = aws::Arn::parse(arn);
  if (!parsed || parsed->service != "signer") return std::nullopt;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == arn || names_[i] == parsed->resource) return i;
  return std::nullopt;
}

CodeSignature SigningProfiles::judge(std::string_view zip, const CodeOwner& owner, std::int64_t now_s) const {
  CodeSignature judged;
  const auto code = store::signed_code(zip);
  if (!code) return judged;
  const auto checked = base::check_cms(code->signature, code->statement, certificates_);
  switch (checked.verdict) {
    case base::CmsSignature::Verdict::bad:
      judged.state = CodeSignature::State::broken;
      return judged;
    case base::CmsSignature::Verdict::unknown_signer:
      judged.state = CodeSignature::State::unknown_signer;
      return judged;
    case base::CmsSignature::Verdict::good:
      break;
  }
  judged.profiles = checked.signers;
  // The same certificate under every one of these names.
  const auto& certificate = certificates_[judged.profiles.front()];
  judged.state = certificate.valid_at(now_s) ? CodeSignature::State::good : CodeSignature::State::expired;
  judged.profile_version_arn = arn(judged.profiles.front(), owner);
  const auto profile = aws::Arn::parse(judged.profile_version_arn);
  judged.job_arn =
      fmt::format("arn:aws:signer:{}:{}:/signing-jobs/{}", profile->region, profile->account, uuid_of(code->signature));
  return judged;
}

}  // namespace lambent::lambda
