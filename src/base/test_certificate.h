// For tests: certificates of our own and their keys.
#pragma once

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>

namespace lambent::base::testing {

struct TestCertificate {
  std::string pem;
  std::string key_pem;
};

inline std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string text(bytes, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

struct CertificateOptions {
  std::string name = "signer";
  long serial = 1;
  /// Seconds since 1970.
  std::int64_t not_before_s = 0;
  std::int64_t not_after_s = 4'000'000'000;
  /// Bits of an RSA key; 0 for one on P-256.
  unsigned int rsa_bits = 0;
};

/// Self-signed.
inline TestCertificate make_certificate(const CertificateOptions& options = {}) {
  EVP_PKEY* key = options.rsa_bits != 0 ? EVP_RSA_gen(options.rsa_bits) : EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), options.serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate), options.not_before_s);
  ASN1_TIME_set(X509_getm_notAfter(certificate), options.not_after_s);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(options.name.c_str()), -1,
                             -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  TestCertificate made;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  made.pem = text_of(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  made.key_pem = text_of(bio);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return made;
}

}  // namespace lambent::base::testing
