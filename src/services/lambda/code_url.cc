#include "services/lambda/code_url.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/digest.h"

namespace lambent::lambda {
namespace {

constexpr std::string_view kSignature = "&Signature=";
constexpr std::string_view kExpires = "?Expires=";
constexpr std::string_view kSuffix = ".zip";
constexpr std::size_t kMaxLength = 1024;

}  // namespace

CodeUrl::CodeUrl(std::string_view server_key, const base::Clock& clock)
    : key_(base::hmac_sha256(server_key, "lambent code url 1")), clock_(clock) {}

std::string CodeUrl::path(const store::FunctionVersion& function) const {
  return path(function.key.account, function.key.region, function.key.name, function.code_hash);
}

std::string CodeUrl::path(std::string_view account, std::string_view region, std::string_view name,
                          std::string_view hash) const {
  const auto expires = clock_.now_s() + kLifetime.count();
  // Account, region, name and hash need no escapes: their alphabets are letters, digits, '-' and '_'.
  const auto text =
      fmt::format("{}{}/{}/{}/{}{}{}{}", kPrefix, account, region, name, hash, kSuffix, kExpires, expires);
  return text + std::string(kSignature) + sign(text);
}

std::optional<std::string> CodeUrl::verify(std::string_view path_and_query) const {
  if (path_and_query.size() > kMaxLength || !path_and_query.starts_with(kPrefix)) return std::nullopt;
  const auto signature_at = path_and_query.rfind(kSignature);
  if (signature_at == std::string_view::npos) return std::nullopt;
  const auto text = path_and_query.substr(0, signature_at);
  if (!base::constant_time_equal(path_and_query.substr(signature_at + kSignature.size()), sign(text)))
    return std::nullopt;
  // The rest is our own text.
  const auto expires_at = text.rfind(kExpires);
  const auto expires = base::parse_decimal(text.substr(expires_at + kExpires.size()));
  if (!expires || static_cast<std::int64_t>(*expires) <= clock_.now_s()) return std::nullopt;
  const auto path = text.substr(0, expires_at - kSuffix.size());
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string CodeUrl::sign(std::string_view text) const { return base::hex(base::hmac_sha256(key_, text)); }

}  // namespace lambent::lambda
