#include "base/cms.h"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/err.h>

#include "base/test_certificate.h"

namespace lambent::base {
namespace {

using testing::make_certificate;
using testing::TestCertificate;
using Verdict = CmsSignature::Verdict;

struct Signer {
  TestCertificate made;
  Certificate certificate;

  explicit Signer(const testing::CertificateOptions& options = {})
      : made(make_certificate(options)), certificate(Certificate::parse(made.pem)) {}
  std::string sign(std::string_view content) const { return sign_cms(content, certificate, made.key_pem); }
};

/// As other programs may make them: with flags and a digest of the test's choice.
std::string made_with(const Signer& signer, std::string_view content, unsigned int flags, const EVP_MD* digest) {
  BIO* bio = BIO_new_mem_buf(content.data(), static_cast<int>(content.size()));
  BIO* key_bio = BIO_new_mem_buf(signer.made.key_pem.data(), static_cast<int>(signer.made.key_pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
  CMS_ContentInfo* cms = CMS_sign(nullptr, nullptr, nullptr, nullptr, flags | CMS_PARTIAL);
  CMS_add1_signer(cms, signer.certificate.handle(), key, digest, flags);
  CMS_final(cms, bio, nullptr, flags);
  BIO* out = BIO_new(BIO_s_mem());
  i2d_CMS_bio(out, cms);
  CMS_ContentInfo_free(cms);
  EVP_PKEY_free(key);
  BIO_free(key_bio);
  BIO_free(bio);
  return testing::text_of(out);
}

TEST(Cms, ASignatureVerifiesByItsCertificateAndOverItsContentAlone) {
  const Signer ann({.name = "ann"});
  const Signer bob({.name = "bob"});
  const auto signature = ann.sign("content");
  const auto found = check_cms(signature, "content", {bob.certificate, ann.certificate});
  EXPECT_EQ(found.verdict, Verdict::good);
  EXPECT_EQ(found.signers, std::vector<std::size_t>{1});
  EXPECT_EQ(check_cms(signature, "Content", {ann.certificate}).verdict, Verdict::bad);
  EXPECT_EQ(check_cms(signature, "content", {bob.certificate}).verdict, Verdict::unknown_signer);
  EXPECT_EQ(check_cms(signature, "content", {}).verdict, Verdict::unknown_signer);
  EXPECT_EQ(check_cms(signature, "content", {ann.certificate, ann.certificate}).signers.size(), 2U);
}

TEST(Cms, RsaKeysSignToo) {
  const Signer signer({.rsa_bits = 2048});
  EXPECT_EQ(check_cms(signer.sign("content"), "content", {signer.certificate}).verdict, Verdict::good);
}

TEST(Cms, ACertificateThatOnlyHasTheSameNameAndNumberIsNobodys) {
  const Signer real({.name = "ann", .serial = 7});
  const Signer forged({.name = "ann", .serial = 7});
  EXPECT_EQ(check_cms(forged.sign("content"), "content", {real.certificate}).verdict, Verdict::bad);
}

TEST(Cms, WhatIsNoDetachedSignatureOfOneSignerIsBad) {
  const Signer signer;
  const auto signature = signer.sign("content");
  const auto verdict = [&](const std::string& der) { return check_cms(der, "content", {signer.certificate}).verdict; };
  EXPECT_EQ(verdict(""), Verdict::bad);
  EXPECT_EQ(verdict("not DER"), Verdict::bad);
  EXPECT_EQ(verdict(signature + "x"), Verdict::bad);
  for (std::size_t cut = 1; cut < signature.size(); cut += 7)
    EXPECT_EQ(verdict(signature.substr(0, cut)), Verdict::bad);
  EXPECT_EQ(verdict(made_with(signer, "content", CMS_BINARY, EVP_sha256())), Verdict::bad)
      << "it has its content inside";
  EXPECT_EQ(verdict(made_with(signer, "content", CMS_BINARY | CMS_DETACHED, EVP_sha1())), Verdict::bad) << "SHA-1";
  EXPECT_EQ(verdict(made_with(signer, "content", CMS_BINARY | CMS_DETACHED, EVP_sha384())), Verdict::good);
  EXPECT_EQ(verdict(made_with(signer, "content", CMS_BINARY | CMS_DETACHED | CMS_NOATTR, EVP_sha512())), Verdict::good);
  EXPECT_EQ(ERR_peek_error(), 0U) << "OpenSSL's errors stay behind";
}

TEST(Cms, EveryChangedByteOfASignatureIsNoticed) {
  const Signer signer;
  const auto signature = made_with(signer, "content", CMS_BINARY | CMS_DETACHED | CMS_NOCERTS, EVP_sha256());
  ASSERT_EQ(check_cms(signature, "content", {signer.certificate}).verdict, Verdict::good);
  // The last bytes are the signature's value itself.
  for (std::size_t at = signature.size() - 32; at < signature.size(); ++at) {
    auto changed = signature;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(check_cms(changed, "content", {signer.certificate}).verdict, Verdict::bad) << at;
  }
}

TEST(Certificates, KnowTheirTime) {
  const Signer signer({.not_before_s = 1'000'000'000, .not_after_s = 1'000'000'100});
  EXPECT_FALSE(signer.certificate.valid_at(999'999'999));
  EXPECT_TRUE(signer.certificate.valid_at(1'000'000'000));
  EXPECT_TRUE(signer.certificate.valid_at(1'000'000'100));
  EXPECT_FALSE(signer.certificate.valid_at(1'000'000'101));
  EXPECT_EQ(signer.certificate.fingerprint().size(), 64U);
}

TEST(Certificates, NeedAKeyThatCanBeTrusted) {
  EXPECT_THROW(Certificate::parse(""), std::invalid_argument);
  EXPECT_THROW(Certificate::parse(make_certificate().key_pem), std::invalid_argument);
  EXPECT_THROW(Certificate::parse(make_certificate({.rsa_bits = 1024}).pem), std::invalid_argument);
}

TEST(Certificates, SignWithTheirOwnKeyOnly) {
  const Signer ann;
  const Signer bob;
  EXPECT_THROW(sign_cms("content", ann.certificate, bob.made.key_pem), std::invalid_argument);
  EXPECT_THROW(sign_cms("content", ann.certificate, "no key"), std::invalid_argument);
}

}  // namespace
}  // namespace lambent::base
