#include "base/cms.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>
#include <limits>
#include <new>
#include <stdexcept>

#include "base/bytes.h"
#include "base/digest.h"

namespace lambent::base {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Freed<CMS_ContentInfo_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

constexpr int kSecurityBits = 112;

/// Of what failed here nothing is left for the next user of this thread's error queue.
struct ClearErrors {
  ClearErrors() = default;
  ClearErrors(const ClearErrors&) = delete;
  ~ClearErrors() { ERR_clear_error(); }
};

Bio reader(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::invalid_argument("too much to read");
  Bio bio(BIO_new_mem_buf(bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size())));
  if (!bio) throw std::bad_alloc();
  return bio;
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) throw std::invalid_argument("the certificate's validity cannot be read");
  return timegm(&utc);
}

std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) throw std::bad_alloc();
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

/// The one signer of a detached signature; null for anything else that CMS can be.
CMS_SignerInfo* only_signer(CMS_ContentInfo* cms) {
  if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) return nullptr;
  ASN1_OCTET_STRING** content = CMS_get0_content(cms);
  if (content == nullptr || *content != nullptr) return nullptr;
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms);
  if (signers == nullptr || sk_CMS_SignerInfo_num(signers) != 1) return nullptr;
  CMS_SignerInfo* signer = sk_CMS_SignerInfo_value(signers, 0);
  X509_ALGOR* digest = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest, nullptr);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, digest);
  switch (OBJ_obj2nid(algorithm)) {
    case NID_sha256:
    case NID_sha384:
    case NID_sha512:
      return signer;
    default:
      return nullptr;
  }
}

Cms parse(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  Cms cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
  if (at != end) cms.reset();
  return cms;
}

/// Of a fresh copy each time: OpenSSL remembers in it what it was verified with.
bool verifies(std::string_view signature, std::string_view content, X509* certificate) {
  const Cms cms = parse(signature);
  const Bio bytes = reader(content);
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> signers(sk_X509_new_null(),
                                                                           [](STACK_OF(X509) * s) { sk_X509_free(s); });
  if (!cms || !signers || sk_X509_push(signers.get(), certificate) <= 0) return false;
  constexpr unsigned int kFlags = CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY;
  return CMS_verify(cms.get(), signers.get(), nullptr, bytes.get(), nullptr, kFlags) == 1;
}

}  // namespace

Certificate Certificate::parse(std::string_view pem) {
  const ClearErrors clear;
  const Bio bio = reader(pem);
  Certificate made;
  made.handle_.reset(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), [](X509* x) { X509_free(x); });
  if (!made.handle_) throw std::invalid_argument("there is no certificate in PEM form");
  const EVP_PKEY* key = X509_get0_pubkey(made.handle());
  if (key == nullptr || EVP_PKEY_get_security_bits(key) < kSecurityBits)
    throw std::invalid_argument("the certificate's key is of an unknown kind or too short");
  made.fingerprint_ = sha256_hex(der_of(made.handle()));
  made.not_before_s_ = seconds_of(X509_get0_notBefore(made.handle()));
  made.not_after_s_ = seconds_of(X509_get0_notAfter(made.handle()));
  return made;
}

CmsSignature check_cms(std::string_view signature, std::string_view content, const std::vector<Certificate>& trusted) {
  const ClearErrors clear;
  const Cms cms = parse(signature);
  CMS_SignerInfo* signer = cms ? only_signer(cms.get()) : nullptr;
  CmsSignature found;
  if (signer == nullptr) return found;
  bool named = false;
  for (std::size_t i = 0; i < trusted.size(); ++i) {
    if (CMS_SignerInfo_cert_cmp(signer, trusted[i].handle()) != 0) continue;
    named = true;
    if (verifies(signature, content, trusted[i].handle())) found.signers.push_back(i);
  }
  if (!found.signers.empty())
    found.verdict = CmsSignature::Verdict::good;
  else if (!named)
    found.verdict = CmsSignature::Verdict::unknown_signer;
  return found;
}

std::string sign_cms(std::string_view content, const Certificate& certificate, std::string_view key_pem) {
  const ClearErrors clear;
  const Bio key_bytes = reader(key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_bytes.get(), nullptr, nullptr, nullptr));
  if (!key) throw std::invalid_argument("the private key cannot be read");
  if (X509_check_private_key(certificate.handle(), key.get()) != 1)
    throw std::invalid_argument("the private key is not the certificate's");
  const Bio bytes = reader(content);
  constexpr unsigned int kFlags = CMS_BINARY | CMS_DETACHED | CMS_PARTIAL;
  const Cms cms(CMS_sign(nullptr, nullptr, nullptr, nullptr, kFlags));
  if (!cms || CMS_add1_signer(cms.get(), certificate.handle(), key.get(), EVP_sha256(), kFlags) == nullptr ||
      CMS_final(cms.get(), bytes.get(), nullptr, kFlags) != 1)
    throw std::invalid_argument("no signature can be made with this key");
  unsigned char* der = nullptr;
  const int size = i2d_CMS_ContentInfo(cms.get(), &der);
  if (size <= 0) throw std::bad_alloc();
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace lambent::base
