// The steps that take rights away from a process, each for good. All of them are in the lists of jail.cc.
#pragma once

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

long limit_resources(const Rights& rights);
long lock_securebits(const Rights& rights);
long become_user(const Rights& rights);
long drop_capabilities(const Rights& rights);
long forbid_new_privileges(const Rights& rights);
long restrict_paths(const Rights& rights);
long restrict_calls(const Rights& rights);

}  // namespace lambent::sandbox::jail
