// What there is of environments, counted from outside of them and of their launcher: after them it must be what it was before.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>

#include "sandbox/lab_for_tests.h"

namespace lambent::sandbox::testing {

/// How many there are of each kind: "zombies", "network namespaces".
using Leftovers = std::map<std::string, std::size_t>;

/// Of the lab's launcher and its environments. Those that wait for nobody yet (two are kept in stock) and zygotes count too.
Leftovers count_leftovers(const Lab& lab);

/// Of the launcher's descendants those that the kernel knows by that name ("lambent-names").
std::vector<int> processes_named(const Lab& lab, const std::string& name);

/// The process waits for something, and not for a processor.
bool is_idle(int pid);

/// Kinds of which there are more than `before`: "3 zombies, 1 groups"; empty when there are none.
std::string what_is_left(const Leftovers& before, const Leftovers& after);

/// Control groups of the launcher with that process id.
std::size_t count_groups(int launcher_pid);
/// Loop devices on files beneath the directory, also on those that have no name any more.
std::size_t count_loops(const std::filesystem::path& directory);
/// Links in the calling thread's network namespace.
std::size_t count_links();

}  // namespace lambent::sandbox::testing
