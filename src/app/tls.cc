#include "app/tls.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <stdexcept>

namespace lambent::app {

namespace ssl = boost::asio::ssl;

namespace {

void require(const boost::system::error_code& error, const std::string& what) {
  if (error) throw std::runtime_error(fmt::format("cannot use {}: {}", what, error.message()));
}

}  // namespace

Certificate::Certificate(std::string cert_file, std::string key_file)
    : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)) {
  reload();
}

void Certificate::reload() {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                       ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
  boost::system::error_code error;
  context->use_certificate_chain_file(cert_file_, error);
  require(error, "the certificate in " + cert_file_);
  context->use_private_key_file(key_file_, ssl::context::pem, error);
  require(error, "the key in " + key_file_ + " for the certificate in " + cert_file_);
  // A key of another algorithm than the certificate's was taken until here.
  if (SSL_CTX_check_private_key(context->native_handle()) != 1)
    throw std::runtime_error("the key in " + key_file_ + " does not belong to the certificate in " + cert_file_);
  std::lock_guard lock(mutex_);
  context_ = std::move(context);
}

std::shared_ptr<ssl::context> Certificate::context() const {
  std::lock_guard lock(mutex_);
  return context_;
}

}  // namespace lambent::app
