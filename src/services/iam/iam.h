// IAM: users, access keys, roles and policies of an account, global to all its regions.
//
// The records live in store::Identities, which checks and publishes; the operations here speak AWS's words and enforce what
// AWS enforces. Owned by the composition root; any thread.
#pragma once

#include <cstdint>

#include "aws/service.h"
#include "base/clock.h"
#include "store/identities.h"

namespace lambent::iam {

class Iam {
 public:
  /// Both must outlive this.
  Iam(store::Identities& identities, const base::Clock& clock) : identities_(identities), clock_(clock) {}

  store::Identities& identities() const { return identities_; }
  /// IAM's dates have whole seconds.
  std::int64_t now_ms() const { return clock_.now_s() * 1000; }

 private:
  store::Identities& identities_;
  const base::Clock& clock_;
};

/// The table of IAM's operations (service.cc), bound to `iam`, which must outlive it.
aws::Service iam_service(Iam& iam);

}  // namespace lambent::iam
