#include <functional>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "auth/policy.h"
#include "aws/error.h"

namespace lambent::auth {
namespace {

/// Compiled documents by their text. Cleared as a whole when it would outgrow its bound: it is refilled within microseconds
/// per document, and no bookkeeping is paid on the way of every request.
class PolicyCache {
 public:
  using Compiled = std::shared_ptr<const PolicyDocument>;

  Compiled get(std::string_view document, PolicyUse use) {
    {
      const std::shared_lock lock(mutex_);
      if (const auto it = entries_.find(document); it != entries_.end()) return it->second;
    }
    Compiled compiled = compile(document, use);
    const std::size_t cost = document.size() + 256 + (compiled ? compiled->bytes() : 0);
    const std::unique_lock lock(mutex_);
    if (bytes_ + cost > kMaxBytes) {
      entries_.clear();
      bytes_ = 0;
    }
    if (entries_.try_emplace(std::string(document), compiled).second) bytes_ += cost;
    return compiled;
  }

 private:
  static constexpr std::size_t kMaxBytes = 32 << 20;

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };

  static Compiled compile(std::string_view document, PolicyUse use) {
    try {
      return std::make_shared<const PolicyDocument>(parse_policy(document, use));
    } catch (const aws::Error&) {
      return nullptr;
    }
  }

  std::shared_mutex mutex_;
  std::unordered_map<std::string, Compiled, Hash, std::equal_to<>> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace

std::shared_ptr<const PolicyDocument> compiled_policy(std::string_view document, PolicyUse use) {
  // Trust and resource policies have grammars of their own; the three kinds of identity policies share one.
  static PolicyCache identity, trust, resource;
  if (use == PolicyUse::resource) return resource.get(document, use);
  return use == PolicyUse::trust ? trust.get(document, use) : identity.get(document, use);
}

}  // namespace lambent::auth
