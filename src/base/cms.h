// Certificates, and detached signatures by them: CMS SignedData (RFC 5652), as `openssl cms -sign -binary` makes them.
//
// Nobody's word is taken for who signed: a signature is held against certificates that the caller trusts, and those that it
// brings along are ignored. So there are no chains, and a certificate's own time is the caller's to judge. OpenSSL stays in cms.cc.
// Values, any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct x509_st;

namespace lambent::base {

class Certificate {
 public:
  /// The first certificate of a PEM text. Throws std::invalid_argument for none, and for a key that is too weak to trust
  /// (under 112 bits of security: RSA below 2048).
  static Certificate parse(std::string_view pem);

  /// SHA-256 of its DER form, in hex.
  const std::string& fingerprint() const { return fingerprint_; }
  /// Seconds since 1970; both ends belong to its time.
  bool valid_at(std::int64_t now_s) const { return now_s >= not_before_s_ && now_s <= not_after_s_; }
  x509_st* handle() const { return handle_.get(); }

 private:
  Certificate() = default;

  std::shared_ptr<x509_st> handle_;
  std::string fingerprint_;
  std::int64_t not_before_s_ = 0;
  std::int64_t not_after_s_ = 0;
};

struct CmsSignature {
  enum class Verdict {
    /// `signers` of the certificates given verify it.
    good,
    /// It is a signature, by none of the certificates given.
    unknown_signer,
    /// It names one of them, but is not its signature over this content; or it is no detached signature by one signer at all.
    bad,
  };
  Verdict verdict = Verdict::bad;
  /// Indices of the certificates, more than one only when the same certificate was given twice.
  std::vector<std::size_t> signers;
};

/// `signature`: DER. SHA-256, SHA-384 and SHA-512 only.
CmsSignature check_cms(std::string_view signature, std::string_view content, const std::vector<Certificate>& trusted);

/// DER of a detached signature with SHA-256 and the certificate inside. Throws std::invalid_argument for a key that cannot be read
/// (a passphrase is asked for on the terminal) or is not the certificate's.
std::string sign_cms(std::string_view content, const Certificate& certificate, std::string_view key_pem);

}  // namespace lambent::base
