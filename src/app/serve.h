// `lambent serve`: builds everything in order, runs until SIGTERM or SIGINT, stops in reverse.
#pragma once

#include "app/options.h"

namespace lambent::app {

/// The program's exit status.
int serve(const ServeOptions& options);

}  // namespace lambent::app
