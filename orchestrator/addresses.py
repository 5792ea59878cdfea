"""Whether this machine can listen at an address."""

from __future__ import annotations

import errno
import socket
from contextlib import closing
from ipaddress import IPv4Address
from typing import Literal, TypeAlias

Transport: TypeAlias = Literal["UDP", "TCP"]

_KINDS = {"UDP": socket.SOCK_DGRAM, "TCP": socket.SOCK_STREAM}


def hindrance(transport: Transport, host: str | IPv4Address, port: int) -> str:
    """What keeps this process from listening there, and what to do about it; "" when nothing does."""
    with closing(socket.socket(socket.AF_INET, _KINDS[transport])) as probe:
        if transport == "TCP":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((str(host), port))
        except OSError as error:
            return explained(error, host)
    return ""


def explained(error: OSError, host: str | IPv4Address) -> str:
    """Why binding to *host* failed, for whoever chose it."""
    match error.errno:
        case errno.EADDRNOTAVAIL:
            return f"this machine has no address {host}; `ip -br addr` lists them"
        case errno.EADDRINUSE:
            return "the port is in use: is Offhook already up? Otherwise choose another one"
        case errno.EACCES:
            return "this user may not listen there: choose a port from 1024 on"
    return error.strerror or str(error)
