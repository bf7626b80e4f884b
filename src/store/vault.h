// The keys that secrets are sealed with before they rest in the store, and the form of a sealed text.
//
// A sealed text is `sealed1.KEY.DATA`: the id of its key, and in base64 a salt, a nonce, the ciphertext and its tag. Each text has
// a key of its own, derived from the named one and the salt, so that no number of records wears a key out. What a text belongs
// to is authenticated with it: moved to another row it does not open. A value, made at start; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lambent::store {

struct VaultKey {
  /// 32 bytes.
  std::string secret;
  /// The KMS key that it stands for; empty for the server's own.
  std::string arn = {};
};

class Vault {
 public:
  /// Without keys: text stays as it is. For tests and tools that keep no secrets.
  Vault() = default;
  /// For each ARN, and for none, the first key seals; all of them open. Throws std::invalid_argument when a key has not 32 bytes
  /// or is there twice, or when there is none without an ARN.
  explicit Vault(const std::vector<VaultKey>& keys);

  bool has_keys() const { return !keys_.empty(); }
  /// Is there a key that stands for this KMS key?
  bool knows(std::string_view arn) const { return current_.contains(arn); }

  /// `owner` is "KIND OWNER", each owner's own: "environment arn:aws:lambda:...". `arn` must be known.
  std::string seal(std::string_view owner, std::string_view plain, std::string_view arn = "") const;
  /// Throws std::runtime_error in words for the operator: the key is missing, or it is not what was sealed for `owner`.
  std::string open(std::string_view owner, std::string_view sealed) const;
  /// Was it sealed, with the key that seal() would take now?
  bool is_current(std::string_view text, std::string_view arn = "") const;

  static bool is_sealed(std::string_view text);
  /// 16 hex digits that tell nothing of the key.
  static std::string id_of(std::string_view secret);
  /// The id of the key that seals what names no ARN. There must be keys.
  const std::string& current_id() const { return current_.find("")->second; }
  bool has_key(std::string_view id) const { return keys_.contains(id); }

 private:
  std::map<std::string, std::string, std::less<>> keys_;     // secrets by id
  std::map<std::string, std::string, std::less<>> current_;  // ids by ARN
};

}  // namespace lambent::store
