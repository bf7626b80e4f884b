"""The process that waiting Pythons are forked from: outside of every sandbox, without tenant code, on its runtime's own root.

Descriptor 3 is a SOCK_SEQPACKET of the launcher: each message asks for one fork and carries the descriptors that the child
needs to enter its sandbox. What enters is the jail's own code, a shared object without libc.
"""

import os
import sys

import _socket

CHANNEL = 3
JAIL = "/var/runtime/liblambent_jail.so"
REQUEST_BYTES = 4096
MOST_DESCRIPTORS = 16


def serve():
    """Returns in each child, inside its sandbox; never in the zygote."""
    import ctypes

    enter = ctypes.CDLL(JAIL).jail_enter
    channel = _socket.socket(fileno=CHANNEL)
    space = _socket.CMSG_SPACE(4 * MOST_DESCRIPTORS)
    while True:
        request, ancillary, _, _ = channel.recvmsg(REQUEST_BYTES, space)
        if not request:
            os._exit(0)
        descriptors = [int.from_bytes(data[at : at + 4], sys.byteorder)
                       for _, _, data in ancillary for at in range(0, len(data) - 3, 4)]
        if os.fork() == 0:
            numbers = (ctypes.c_int * len(descriptors))(*descriptors)
            if enter(request, len(request), numbers, len(descriptors)) != 0:
                os._exit(1)
            channel.detach()
            return
        for descriptor in descriptors:
            os.close(descriptor)
