// The URLs under which GetFunction and GetLayerVersion offer an archive: signed by a key of the server, good for ten minutes.
//
// Whoever has such a URL may fetch that one archive until it expires, as with AWS's presigned S3 URLs; nothing is stored
// per URL. Immutable, any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/functions.h"

namespace lambent::lambda {

class CodeUrl {
 public:
  static constexpr std::string_view kPrefix = "/_lambent/code/";
  static constexpr std::chrono::seconds kLifetime{600};

  /// `server_key` is secret and survives restarts (32 random bytes); a key of its own is derived from it. `clock` must
  /// outlive this.
  CodeUrl(std::string_view server_key, const base::Clock& clock);

  /// /_lambent/code/ACCOUNT/REGION/NAME/HASH.zip?Expires=SECONDS&Signature=HEX
  std::string path(const store::FunctionVersion& function) const;
  /// The same for any archive: `name` is a layer's then.
  std::string path(std::string_view account, std::string_view region, std::string_view name,
                   std::string_view hash) const;

  /// The hash of the archive that a request for `path_and_query` may have; nothing when it was not made by path(), was
  /// changed, or has expired.
  std::optional<std::string> verify(std::string_view path_and_query) const;

 private:
  std::string sign(std::string_view text) const;

  std::string key_;
  const base::Clock& clock_;
};

}  // namespace lambent::lambda
