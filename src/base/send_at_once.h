// Sending without a trip through a lane's loop: what the socket takes without waiting is gone when the call returns.
#pragma once

#include <array>
#include <boost/asio/buffer.hpp>

#include "base/task.h"

namespace lambent::base {

/// A head and a body.
using SendParts = std::array<asio::const_buffer, 2>;

/// True when the stream socket took everything. What it did not take is left in `parts` for whoever waits; an error too is
/// for those to meet.
bool send_at_once(int socket, SendParts& parts);

}  // namespace lambent::base
