// The steps that take rights away from a process, each for good. All of them are in the lists of jail.cc.
#pragma once

#include <vector>

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

long limit_resources(const Plan& plan);
long lock_securebits(const Plan& plan);
long become_user(const Plan& plan);
long drop_capabilities(const Plan& plan);
long forbid_new_privileges(const Plan& plan);
long restrict_paths(const Plan& plan);
long restrict_calls(const Plan& plan);

/// The launcher's part, once: empties its bounding set, which every environment inherits, so that no exec inside can
/// give a capability back. Returns a negative errno.
long empty_bounding_set();

/// The version of landlock's interface, or 0. At most the newest that restrict_paths speaks.
int landlock_abi();

/// AWS's limits where they were recorded, lowered to what this process may set.
std::vector<Limit> resource_limits(std::uint32_t max_processes);

}  // namespace lambent::sandbox::jail
