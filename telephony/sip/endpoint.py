"""PJSIP configured as a gateway: transports, codecs, jitter buffer; nothing here knows of calls."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterable
from ipaddress import IPv4Network
from typing import Any

import pjsua2 as pj

from orchestrator.core.errors import ConfigError
from telephony.sip.pace import Pace
from telephony.sip.pcm import FRAME_MS
from telephony.sip.settings import GatewaySettings
from telephony.sip.source_filter import ListenerFilter

POLL_MS = 10
CODEC_IDS = {"PCMU": "PCMU/8000", "PCMA": "PCMA/8000", "G722": "G722/16000"}
TRANSPORT_TYPES = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}

# One packet is the least that a jitter buffer can hold; it grows with the jitter that it sees and shrinks again.
JITTER_LEAST_MS = FRAME_MS
JITTER_MOST_MS = 200
MOST_CONNECTIONS = 8
WITHIN_SECONDS = 0.6  # PJ_IOQUEUE_KEY_FREE_DELAY is 0.5
_WHEEL_CALLS, _WHEEL_ACCOUNTS = 4, 8
_OUR_ACCOUNTS = 64  # build_pjsip.sh
ANY_NUMBER_OF_CALLS = 1_000_000  # the library takes as many of them as it was compiled for


class GatewayEndpoint(pj.Endpoint):  # type: ignore[misc]
    """PJSIP, which takes TCP connections from friends only, and no faster than it can forget them.

    The wheel aborts when some sixty are made within the half second for which it keeps a closed one's place.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pace = Pace(MOST_CONNECTIONS, WITHIN_SECONDS)
        self._filter: ListenerFilter | None = None

    def befriend(self, port: int, networks: Iterable[IPv4Network]) -> None:
        """From now on, only *networks* can connect to TCP *port*. Raises OSError."""
        if self._filter is not None:
            self._filter.befriend(networks)
            return
        self._pace = Pace(max(MOST_CONNECTIONS, capacity()), WITHIN_SECONDS)
        self._filter = ListenerFilter(port, networks)

    def onTransportState(self, prm: Any) -> None:  # noqa: N802 - PJSIP's name
        """A connection is made or lost. PJSIP is about to accept the next one, so the kernel has to keep it away."""
        if self._filter is not None and prm.state == pj.PJSIP_TP_STATE_CONNECTED:
            self._pace.count()
            if self._pace.spent and not self._filter.shut:
                self._filter.shut_out()

    def poll(self) -> None:
        """Handle events for 10 ms."""
        self.libHandleEvents(POLL_MS)
        if self._filter is not None and self._filter.shut and not self._pace.spent:
            self._filter.admit()

    def close(self, *, registered: bool) -> None:
        """Unregister and stop. Every port must be gone; accounts may be dropped only afterwards."""
        if self._filter is not None:
            self._filter.close()
        gc.collect()
        # With nothing to unregister there is no answer to wait a second for.
        self.libDestroy(0 if registered else pj.PJSUA_DESTROY_NO_RX_MSG)


def open_endpoint(settings: GatewaySettings) -> GatewayEndpoint:
    """A running endpoint that listens as *settings* say. Raises pj.Error, ConfigError for a port in use."""
    endpoint = GatewayEndpoint()
    endpoint.libCreate()
    try:
        endpoint.libInit(_configuration(settings))
        endpoint.audDevManager().setNullDev()
        for name in settings.transports:
            _listen(endpoint, settings, name)
        endpoint.libStart()
        _prefer(endpoint, settings.codecs)
    except (pj.Error, ConfigError):
        endpoint.close(registered=False)
        raise
    return endpoint


def capacity() -> int:
    """Calls at once that the library was compiled for: 4 in the wheel. Only known while an endpoint is open."""
    return int(ctypes.CDLL(pj._pjsua2.__file__).pjsua_call_get_max_count())


def most_trunks() -> int:
    """Trunks with a user that the library was compiled for (PJSUA_MAX_ACC, one of which is everybody else's).

    It does not tell, and aborts beyond them. Only known while an endpoint is open.
    """
    return (_WHEEL_ACCOUNTS if capacity() == _WHEEL_CALLS else _OUR_ACCOUNTS) - 1


def transport(settings: GatewaySettings, port: int) -> Any:
    """Where SIP or RTP binds, and what it advertises."""
    config = pj.TransportConfig()
    config.port = port
    config.boundAddress = str(settings.bind)
    if settings.public_address:
        config.publicAddress = str(settings.public_address)
    return config


def rtp_transport(settings: GatewaySettings) -> Any:
    """The range of ports that calls take theirs from."""
    first, last = settings.rtp_ports
    config = transport(settings, first)
    config.portRange = last - first
    return config


def _configuration(settings: GatewaySettings) -> Any:
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.uaConfig.maxCalls = ANY_NUMBER_OF_CALLS
    config.uaConfig.userAgent = "Offhook"
    config.logConfig.level = config.logConfig.consoleLevel = 0
    media = config.medConfig
    media.clockRate, media.audioFramePtime = settings.clock_rate, FRAME_MS
    media.ecTailLen, media.noVad, media.sndAutoCloseTime = 0, True, -1
    media.jbInit = media.jbMinPre = JITTER_LEAST_MS
    media.jbMaxPre = media.jbMax = JITTER_MOST_MS
    return config


def _listen(endpoint: Any, settings: GatewaySettings, name: str) -> None:
    try:
        endpoint.transportCreate(TRANSPORT_TYPES[name], transport(settings, settings.port))
    except pj.Error as error:
        raise ConfigError(f"cannot listen on {settings.bind}:{settings.port}/{name}: {error.reason}") from error


def _prefer(endpoint: Any, codecs: tuple[str, ...]) -> None:
    wanted = [CODEC_IDS[codec] for codec in codecs]
    for codec in endpoint.codecEnum2():
        rank = next((index for index, name in enumerate(wanted) if codec.codecId.startswith(name)), None)
        endpoint.codecSetPriority(codec.codecId, 0 if rank is None else 255 - rank)
