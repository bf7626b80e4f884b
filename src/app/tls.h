// The server's certificate, replaceable while it runs: SIGHUP reads the files again, and connections that began with the
// old one keep it. Any thread.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>
#include <string>

namespace lambent::app {

class Certificate {
 public:
  /// Throws std::runtime_error that names the file when they are no matching certificate chain and key.
  Certificate(std::string cert_file, std::string key_file);
  /// Keeps what it has, and throws, when the new files are unusable.
  void reload();
  std::shared_ptr<boost::asio::ssl::context> context() const;

 private:
  std::string cert_file_, key_file_;
  mutable std::mutex mutex_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace lambent::app
