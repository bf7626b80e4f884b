"""The process that waiting Pythons are forked from: outside of every sandbox, without tenant code, on its runtime's own root.

Descriptor 3 is the launcher's. What hears its requests and enters a sandbox is the jail's own code (src/sandbox/jail/zygote.cc),
a shared object without libc: no library stands between a fork and its sandbox.
"""

import ctypes
import os

JAIL = "/var/runtime/liblambent_jail.so"


def serve():
    """Returns in each child, inside its sandbox; never in the zygote."""
    jail = ctypes.CDLL(JAIL)
    while jail.zygote_next() == 0:
        child = os.fork()
        if child == 0:
            # Does not return outside of the sandbox.
            jail.zygote_child()
            return
        jail.zygote_forked(child)
    os._exit(0)
