// A network namespace with nothing in it but its loopback and two sockets that listen there: what makes a function's
// Runtime API its own. The sockets are the server's; the environment never holds them.
#pragma once

#include <cstdint>

#include "base/fd.h"

namespace lambent::sandbox::launcher {

constexpr std::uint16_t kRuntimeApiPort = 9001;
constexpr std::uint16_t kApiPort = 4566;

struct Network {
  base::Fd space;  // for setns
  base::Fd runtime_api;
  base::Fd api;
};

/// Makes networks. The launcher is single-threaded, so it may step into a new namespace and back.
class Networks {
 public:
  /// Makes one to see that it may. Throws std::system_error.
  Networks();
  Network make();

 private:
  base::Fd home_;
};

}  // namespace lambent::sandbox::launcher
