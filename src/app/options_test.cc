#include "app/options.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace lambent::app {
namespace {

TEST(Options, ListenTakesAddressesWithPorts) {
  EXPECT_EQ(parse_listen("127.0.0.1:4566").port, 4566);
  EXPECT_TRUE(parse_listen("localhost:0").loopback);
  EXPECT_EQ(parse_listen("[::1]:80").host, "::1");
  EXPECT_FALSE(parse_listen("0.0.0.0:80").loopback);
  for (const char* bad : {"", "4566", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "example.org:80", "1.2.3.4:-1"})
    EXPECT_THROW(parse_listen(bad), std::invalid_argument) << bad;
}

TEST(Options, RefusesWhatWouldLetStrangersIn) {
  ServeOptions options;
  const std::vector<ListenAddress> everywhere{parse_listen("0.0.0.0:80")}, here{parse_listen("127.0.0.1:80")};
  EXPECT_NO_THROW(check_options(options, here));
  EXPECT_THROW(check_options(options, everywhere), std::invalid_argument);
  options.insecure_http = true;
  EXPECT_NO_THROW(check_options(options, everywhere));
  options.auth = "off";
  EXPECT_THROW(check_options(options, everywhere), std::invalid_argument);
  EXPECT_NO_THROW(check_options(options, here));
  options.auth = "maybe";
  EXPECT_THROW(check_options(options, here), std::invalid_argument);
}

TEST(Options, RefusesMalformedAccountsAndHalfOfTls) {
  ServeOptions options;
  options.account = "1234";
  EXPECT_THROW(check_options(options, {}), std::invalid_argument);
  options.account = "12345678901a";
  EXPECT_THROW(check_options(options, {}), std::invalid_argument);
  options.account = "123456789012";
  options.tls_cert = "cert.pem";
  EXPECT_THROW(check_options(options, {}), std::invalid_argument);
}

}  // namespace
}  // namespace lambent::app
