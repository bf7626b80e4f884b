#include "store/vault.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/bytes.h"
#include "base/digest.h"
#include "base/ids.h"
#include "base/sealed.h"

namespace lambent::store {
namespace {

constexpr std::string_view kPrefix = "sealed1.";
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kSaltBytes = 16;

std::string record_key(std::string_view secret, std::string_view salt) {
  return base::hmac_sha256(secret, "lambent sealed record" + std::string(salt));
}

std::string associated(std::string_view id, std::string_view owner) {
  return fmt::format("{}{}\n{}", kPrefix, id, owner);
}

/// The key's id in a sealed text; empty in any other.
std::string_view id_in(std::string_view text) {
  if (!text.starts_with(kPrefix)) return {};
  text.remove_prefix(kPrefix.size());
  return text.size() > kIdDigits && text[kIdDigits] == '.' ? text.substr(0, kIdDigits) : std::string_view();
}

}  // namespace

Vault::Vault(const std::vector<VaultKey>& keys) {
  for (const VaultKey& key : keys) {
    if (key.secret.size() != base::kSealKeyBytes) throw std::invalid_argument("a master key has 32 bytes");
    const std::string id = id_of(key.secret);
    if (!keys_.emplace(id, key.secret).second) throw std::invalid_argument("the master key " + id + " is there twice");
    current_.emplace(key.arn, id);
  }
  if (!knows("")) throw std::invalid_argument("there is no master key without an ARN");
}

std::string Vault::id_of(std::string_view secret) {
  return base::hex(base::hmac_sha256(secret, "lambent key id")).substr(0, kIdDigits);
}

bool Vault::is_sealed(std::string_view text) { return !id_in(text).empty(); }

bool Vault::is_current(std::string_view text, std::string_view arn) const {
  const auto current = current_.find(arn);
  return current != current_.end() && id_in(text) == current->second;
}

std::string Vault::seal(std::string_view owner, std::string_view plain, std::string_view arn) const {
  if (!has_keys()) return std::string(plain);
  const auto current = current_.find(arn);
  if (current == current_.end()) throw std::runtime_error(fmt::format("there is no master key for {}", arn));
  const std::string& id = current->second;
  const std::string salt = base::random_bytes(kSaltBytes);
  const auto sealed = base::seal(record_key(keys_.find(id)->second, salt), plain, associated(id, owner));
  return fmt::format("{}{}.{}", kPrefix, id, base::base64(salt + sealed));
}

std::string Vault::open(std::string_view owner, std::string_view sealed) const {
  const auto id = id_in(sealed);
  if (id.empty()) {
    if (!has_keys()) return std::string(sealed);
    throw std::runtime_error(fmt::format("{}: it was never sealed, and somebody put it there", owner));
  }
  const auto key = keys_.find(id);
  if (key == keys_.end())
    throw std::runtime_error(
        fmt::format("{}: it was sealed with the key {}, which the master key file does not have: put that key's "
                    "line back into the file",
                    owner, id));
  const auto bytes = base::unbase64(sealed.substr(kPrefix.size() + kIdDigits + 1));
  if (bytes && bytes->size() > kSaltBytes) {
    const std::string_view all = *bytes;
    const auto secret = record_key(key->second, all.substr(0, kSaltBytes));
    if (auto plain = base::unseal(secret, all.substr(kSaltBytes), associated(id, owner))) return std::move(*plain);
  }
  throw std::runtime_error(fmt::format("{}: what is stored was damaged, or belongs to another record", owner));
}

}  // namespace lambent::store
