"""The gate before PJSIP: it refuses a new call without opening anything for it.

PJSIP opens two sockets for each INVITE before it asks anybody, and lets go of them half a second later. The wheel has
room for 64, is a debug build, and aborts when that is not enough: thirty refused calls in half a second would end every
call in progress. So a module of our own stands between PJSIP's dialogs and its calls, and answers for a line that is
not there, or an INVITE that comes too fast, statelessly. It is told of requests outside dialogs only: retransmissions
and what belongs to a call never reach it.

The module is PJSIP's plain C interface through ctypes (struct pjsip_module of pjsip/sip_module.h), because the Python
binding has none for it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import pjsua2 as pj

from telephony.sip.line import UNAVAILABLE, Refusal
from telephony.sip.pace import Pace

# In the wheel, the sockets of so many calls that came to nothing, and those of the four that run, leave a third of the
# 64 free. A library for more calls has more.
MOST_INVITES = 16
WITHIN_SECONDS = 0.6  # PJ_IOQUEUE_KEY_FREE_DELAY is 0.5

_AFTER_DIALOGS_BEFORE_CALLS = 40  # PJSIP_MOD_PRIORITY_UA_PROXY_LAYER is 32, PJSIP_MOD_PRIORITY_APPLICATION 64
_HANDLED, _PASSED_ON = 1, 0
_INVITE = b"Request msg INVITE/"

_OnRequest = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _String(ctypes.Structure):
    """pj_str_t"""

    _fields_ = (("ptr", ctypes.c_char_p), ("slen", ctypes.c_ssize_t))


class _ListNode(ctypes.Structure):
    """PJ_DECL_LIST_MEMBER: what every header begins with"""

    _fields_ = (("prev", ctypes.c_void_p), ("next", ctypes.c_void_p))


class _Module(ctypes.Structure):
    """struct pjsip_module"""

    _fields_ = (
        ("node", _ListNode),
        ("name", _String),
        ("id", ctypes.c_int),
        ("priority", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ("load", "start", "stop", "unload")),
        ("on_rx_request", _OnRequest),
        *((name, ctypes.c_void_p) for name in ("on_rx_response", "on_tx_request", "on_tx_response", "on_tsx_state")),
    )


class Intake:
    """Stands in the way of new calls from its creation on. *refusal*: why none can be taken now, or None; *capacity*:
    how many calls the library was compiled for.

    Create it in PJSIP's thread, while the library runs, and keep it until the library is gone.
    """

    def __init__(self, refusal: Callable[[], Refusal | None], capacity: int) -> None:
        self._refusal = refusal
        self._pace = Pace(max(MOST_INVITES, capacity), WITHIN_SECONDS)
        self._library = library = ctypes.CDLL(pj._pjsua2.__file__)
        library.pjsua_get_pjsip_endpt.restype = ctypes.c_void_p
        library.pjsua_pool_create.restype = ctypes.c_void_p
        library.pjsip_generic_string_hdr_create.restype = ctypes.c_void_p
        library.pjsip_rx_data_get_info.restype = ctypes.c_char_p
        self._endpoint = ctypes.c_void_p(library.pjsua_get_pjsip_endpt())
        self._pool = ctypes.c_void_p(library.pjsua_pool_create(b"intake", 1000, 1000))
        self._headers: dict[int, _ListNode] = {}
        self._module = _Module(
            name=_String(b"offhook-intake", len(b"offhook-intake")),
            id=-1,
            priority=_AFTER_DIALOGS_BEFORE_CALLS,
            on_rx_request=_OnRequest(self._received),
        )
        if library.pjsip_endpt_register_module(self._endpoint, ctypes.byref(self._module)):
            raise OSError("PJSIP does not take the intake module")

    def _received(self, request: int | None) -> int:
        """PJSIP asks whether *request* (pjsip_rx_data) is ours. In its thread, in its callback."""
        if not self._library.pjsip_rx_data_get_info(ctypes.c_void_p(request)).startswith(_INVITE):
            return _PASSED_ON
        refusal = self._refusal()
        if refusal is None and self._pace.spent:
            refusal = UNAVAILABLE
        if refusal is None:
            self._pace.count()
            return _PASSED_ON
        headers = self._retry_after(refusal.retry_after) if refusal.retry_after is not None else None
        self._library.pjsip_endpt_respond_stateless(
            self._endpoint, ctypes.c_void_p(request), refusal.status, None, headers, None
        )
        return _HANDLED

    def _retry_after(self, seconds: int) -> ctypes.c_void_p:
        """A list of headers with nothing but Retry-After; PJSIP copies what is in it."""
        if seconds not in self._headers:
            value = str(seconds).encode()
            name = _String(b"Retry-After", len(b"Retry-After"))
            header = self._library.pjsip_generic_string_hdr_create(
                self._pool, ctypes.byref(name), ctypes.byref(_String(value, len(value)))
            )
            # A list is a ring: its head and the header point at each other.
            head = _ListNode(prev=header, next=header)
            ring = _ListNode.from_address(header)
            ring.prev = ring.next = ctypes.addressof(head)
            self._headers[seconds] = head
        return ctypes.c_void_p(ctypes.addressof(self._headers[seconds]))
