// The steps that build what an environment sees as "/". All of them are in the lists of jail.cc.
#pragma once

#include "sandbox/jail/jail.h"

namespace lambent::sandbox::jail {

long keep_mounts_private(const Plan& plan);
long attach_root(const Plan& plan);
long attach_trees(const Plan& plan);
long mount_shm(const Plan& plan);
long mount_proc(const Plan& plan);
long mask_proc(const Plan& plan);
long pivot_root(const Plan& plan);

/// One more, later: returns a negative errno.
long attach(const Attachment& attachment);

}  // namespace lambent::sandbox::jail
