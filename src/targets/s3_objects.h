// aws::Objects at a configured S3 endpoint: GetObject by path, signed as the caller.
//
// Owned by the composition root, used on any lane. What is read and held at once is bounded, each object counted at what its
// Content-Length says.
#pragma once

#include <functional>
#include <memory>

#include "aws/objects.h"
#include "base/clock.h"
#include "targets/http_client.h"
#include "targets/sign.h"

namespace lambent::targets {

struct ObjectsParts {
  const base::Clock& clock;
  /// What the caller signs with, as S3 would see the caller on AWS. Throws aws::Error when there is nothing left to sign with.
  std::function<Credentials(const aws::Caller&)> credentials;
  /// What may be read and held at once.
  std::size_t budget_bytes = 512u << 20;
};

std::unique_ptr<aws::Objects> make_objects(Endpoint endpoint, ObjectsParts parts);

}  // namespace lambent::targets
