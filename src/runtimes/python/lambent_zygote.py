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
    fork = _fork_by(jail)
    while jail.zygote_next() == 0:
        child = fork()
        if child == 0:
            # Does not return outside of the sandbox.
            jail.zygote_child()
            return
        jail.zygote_forked(child)
    os._exit(0)


def _fork_by(jail):
    """os.fork, but the child begins in its control group. Like that it keeps the interpreter's lock."""
    own = ctypes.PyDLL(JAIL).zygote_fork
    python = ctypes.pythonapi
    around = [ctypes.cast(step, ctypes.c_void_p)
              for step in (python.PyOS_BeforeFork, python.PyOS_AfterFork_Parent, python.PyOS_AfterFork_Child)]
    own.argtypes = [ctypes.c_void_p] * 3

    def fork():
        child = own(*around)
        return os.fork() if child < 0 else child

    return fork
