// The steps by which a process becomes one of an environment's: its groups, its descriptors, its session. All of them
// are in the lists of jail.cc.
#pragma once

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

long enter_groups(const Program& program);
long enter_environment(const Program& program);
long take_streams(const Program& program);
long close_everything_else(const Program& program);
long give_up(const Program& program);
long enter_directory(const Program& program);
long start_session(const Program& program);
long reset_signals(const Program& program);
long unblock_signals(const Program& program);
long execute(const Program& program);

/// Writes the calling process into each file; those at -1 are left out.
long write_self(const int* files);

}  // namespace lambent::sandbox::jail
