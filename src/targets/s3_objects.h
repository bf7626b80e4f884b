// aws::Objects at a configured S3 endpoint: GetObject by path, signed as the caller.
//
// Owned by the composition root, used on any lane. What is read at once is bounded: 512 MiB in all, each object at what its
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
};

std::unique_ptr<aws::Objects> make_objects(Endpoint endpoint, ObjectsParts parts);

}  // namespace lambent::targets
