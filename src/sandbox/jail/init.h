// Pid 1 of an environment: makes its namespaces, then carries out the launcher's orders until it is killed.
//
// It starts as a copy of the launcher, still root, so that code and layers can be mounted once they are known; when it
// has started the environment's programs it gives its rights up as they did. From inside it takes nothing: it reads one
// byte of a process that has not seen a function's code yet, and the ends of its children.
#pragma once

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

/// In the process that clone made.
[[noreturn]] void run_init(const Plan& plan);

/// In the process that clone made for a zygote: its root, then the interpreter.
[[noreturn]] void run_zygote(const Plan& plan, const char* const* argv, const char* const* environment);

}  // namespace lambent::sandbox::jail
