"""A kernel filter on a listening TCP socket: connections from addresses outside the given networks never come to be.

PJSIP's wheel is a debug build with room for 64 sockets: some sixty connections opened and closed within half a second
make it abort, and every call with it. A stranger must not be able to do that, so his SYN is dropped before PJSIP
hears of it. Linux only, without privileges (SO_ATTACH_FILTER, classic BPF; see socket(7) and the kernel's
Documentation/networking/filter.rst).
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from pathlib import Path

_SO_ATTACH_FILTER = 26
_SOURCE_ADDRESS = 0xFFF00000 + 12  # SKF_NET_OFF, and the place of the source in an IPv4 header
_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_JUMP_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K
_WHOLE_PACKET, _NOTHING = 0xFFFFFFFF, 0
MOST_NETWORKS = 1000  # of the kernel's 4096 instructions, each takes four


class ListenerFilter:
    """Decides who may connect to this process's listening TCP socket on *port*: at first, only *networks*.

    Raises OSError when there is no such socket or the kernel takes no such filter.
    """

    def __init__(self, port: int, networks: Iterable[IPv4Network]) -> None:
        self._friends = _program(sorted(set(networks)))
        self._listener = _listener(port)
        self.shut = False
        self._attach(self._friends)

    def befriend(self, networks: Iterable[IPv4Network]) -> None:
        """From now on, *networks* instead of those before. Raises OSError for too many."""
        self._friends = _program(sorted(set(networks)))
        if not self.shut:
            self._attach(self._friends)

    def shut_out(self) -> None:
        """Nobody may connect for now."""
        self.shut = True
        self._attach(_program([]))

    def admit(self) -> None:
        """The networks may connect again."""
        self.shut = False
        self._attach(self._friends)

    def close(self) -> None:
        """Let go of the socket; the filter stays."""
        self._listener.close()

    def _attach(self, program: list[bytes]) -> None:
        instructions = ctypes.create_string_buffer(b"".join(program))
        # struct sock_fprog: the count, and a pointer aligned like one.
        request = struct.pack("@HP", len(program), ctypes.addressof(instructions))
        self._listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, request)


def _program(networks: Sequence[IPv4Network]) -> list[bytes]:
    """Instructions that accept a packet whose source is in one of *networks*."""
    if len(networks) > MOST_NETWORKS:
        raise OSError(f"{len(networks)} networks are too many for a socket filter; accepted are {MOST_NETWORKS}")
    program = []
    for network in networks:
        program += [
            _instruction(_LOAD_WORD, _SOURCE_ADDRESS),
            _instruction(_AND, int(network.netmask)),
            _instruction(_JUMP_IF_EQUAL, int(network.network_address), otherwise=1),
            _instruction(_RETURN, _WHOLE_PACKET),
        ]
    return [*program, _instruction(_RETURN, _NOTHING)]


def _instruction(code: int, operand: int, otherwise: int = 0) -> bytes:
    """struct sock_filter; *otherwise*: instructions to skip when a comparison fails."""
    return struct.pack("=HBBI", code, 0, otherwise, operand)


def _listener(port: int) -> socket.socket:
    """A handle of our own on the listening socket, which the library keeps to itself."""
    for entry in Path("/proc/self/fd").iterdir():
        if not entry.is_socket():
            continue
        handle = socket.socket(fileno=os.dup(int(entry.name)))
        if handle.type == socket.SOCK_STREAM and handle.getsockname()[1:2] == (port,) and _listens(handle):
            return handle
        handle.close()
    raise OSError(f"nothing listens on TCP port {port} in this process")


def _listens(handle: socket.socket) -> bool:
    return bool(handle.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
