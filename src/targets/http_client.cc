#include "targets/http_client.h"

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <stdexcept>

#include "base/bytes.h"

namespace lambent::targets {
namespace {

namespace asio = base::asio;
namespace beast = boost::beast;
using base::Task;

beast::http::request<beast::http::string_body> message_of(base::http::Request request, const Endpoint& endpoint) {
  beast::http::request<beast::http::string_body> message;
  message.version(11);
  message.method_string(request.method);
  message.target(request.query.empty() ? request.path : request.path + "?" + request.query);
  for (const auto& [name, value] : request.headers.all()) message.insert(name, value);
  message.set(beast::http::field::host, endpoint.authority());
  message.set(beast::http::field::connection, "close");
  message.body() = std::move(request.body);
  message.prepare_payload();
  return message;
}

template <class Stream>
Task<base::http::Response> converse(Stream& stream, base::http::Request request, const Endpoint& endpoint,
                                    const ExchangeLimits& limits) {
  auto message = message_of(std::move(request), endpoint);
  co_await beast::http::async_write(stream, message, asio::use_awaitable);
  beast::flat_buffer buffer(64 * 1024);
  beast::http::response_parser<beast::http::string_body> parser;
  parser.header_limit(32 * 1024);
  parser.body_limit(limits.answer_bytes);
  co_await beast::http::async_read_header(stream, buffer, parser, asio::use_awaitable);
  if (limits.before_body) {
    const auto declared = parser.content_length();
    const auto length = declared ? std::optional<std::uint64_t>(*declared) : std::nullopt;
    if (!limits.before_body(length)) throw std::runtime_error("the answer was not wanted");
  }
  co_await beast::http::async_read(stream, buffer, parser, asio::use_awaitable);
  base::http::Response response;
  response.status = static_cast<int>(parser.get().result_int());
  for (const auto& field : parser.get())
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  response.body = std::move(parser.get().body());
  co_return response;
}

/// The machine's own roots, read once.
asio::ssl::context& trust() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    made.set_default_verify_paths();
    made.set_verify_mode(asio::ssl::verify_peer);
    return made;
  }();
  return context;
}

Task<base::http::Response> converse_tls(beast::tcp_stream& tcp, base::http::Request request, const Endpoint& endpoint,
                                        const ExchangeLimits& limits) {
  beast::ssl_stream<beast::tcp_stream&> stream(tcp, trust());
  if (SSL_set_tlsext_host_name(stream.native_handle(), endpoint.host.c_str()) != 1)
    throw std::runtime_error("the host's name cannot be sent");
  stream.set_verify_callback(asio::ssl::host_name_verification(endpoint.host));
  co_await stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
  auto work = converse(stream, std::move(request), endpoint, limits);
  co_return co_await std::move(work);
}

bool is_host(std::string_view text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
             std::string_view::npos;
}

}  // namespace

std::optional<Endpoint> Endpoint::parse(std::string_view url) {
  Endpoint endpoint;
  if (url.starts_with("https://")) {
    endpoint.tls = true;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    url.remove_prefix(7);
  } else {
    return std::nullopt;
  }
  const auto slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) endpoint.path = url.substr(slash);
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  if (endpoint.path.find_first_of("?# \r\n") != std::string::npos) return std::nullopt;
  endpoint.port = endpoint.tls ? "443" : "80";
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const auto port = base::parse_decimal(authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    endpoint.port = std::to_string(*port);
    authority = authority.substr(0, colon);
  }
  if (!is_host(authority)) return std::nullopt;
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  endpoint.host = authority;
  return endpoint;
}

std::string Endpoint::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

Task<base::http::Response> exchange(Endpoint endpoint, base::http::Request request, ExchangeLimits limits) {
  const auto executor = co_await asio::this_coro::executor;
  std::string failure;
  bool too_large = false;
  base::http::Response response;
  beast::tcp_stream tcp(executor);
  asio::ip::tcp::resolver resolver(executor);
  // One deadline for all of it: closing the socket ends whatever is under way.
  asio::steady_timer deadline(executor);
  bool late = false;
  deadline.expires_after(limits.time);
  deadline.async_wait([&](boost::system::error_code ended) {
    if (ended) return;
    late = true;
    resolver.cancel();
    tcp.close();
  });
  try {
    const auto found = co_await resolver.async_resolve(endpoint.host, endpoint.port, asio::use_awaitable);
    co_await tcp.async_connect(found, asio::use_awaitable);
    auto work = endpoint.tls ? converse_tls(tcp, std::move(request), endpoint, limits)
                             : converse(tcp, std::move(request), endpoint, limits);
    response = co_await std::move(work);
  } catch (const boost::system::system_error& error) {
    failure = error.what();
    too_large = error.code() == beast::http::error::body_limit;
  } catch (const std::exception& error) {
    failure = error.what();
  }
  // The handler refers to this frame: wait until it is through.
  deadline.cancel();
  co_await asio::post(executor, asio::use_awaitable);
  if (late) failure = fmt::format("no answer within {} ms", limits.time.count());
  if (too_large && !late) throw AnswerTooLarge(fmt::format("{}: {}", endpoint.authority(), failure));
  if (!failure.empty()) throw std::runtime_error(fmt::format("{}: {}", endpoint.authority(), failure));
  co_return response;
}

}  // namespace lambent::targets
