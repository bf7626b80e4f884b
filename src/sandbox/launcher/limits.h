// What the launcher finds out and gives up once, for every environment that it makes.
#pragma once

#include <cstdint>
#include <vector>

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::launcher {

/// Empties this process's bounding set, which every environment inherits, so that no exec inside can give a capability
/// back. What zygotes need stays inheritable. Throws std::system_error.
void empty_bounding_set();

/// The version of landlock's interface, or 0. At most the newest that the jail speaks.
int landlock_abi();

/// AWS's limits where they were recorded, lowered to what this process may set.
std::vector<jail::Limit> resource_limits(std::uint32_t max_processes);

}  // namespace lambent::sandbox::launcher
