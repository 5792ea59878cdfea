"""A SIP phone that is played by a program: it dials, speaks and keys what it is told, and records both directions.

What is sent and what is heard share one sample clock: the conference bridge of PJSIP takes one frame and gives one
frame in every tick, so sample *n* of both recordings belongs to the same moment at the caller's ear.
"""

from __future__ import annotations

import ctypes
import gc
import time
import traceback
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Protocol, Self, TypeAlias

import numpy as np
import pjsua2 as pj

from orchestrator.core.audio import Pcm
from orchestrator.core.errors import CarrierRejected, ConfigError, LegError
from telephony.sip.coding import CODED_BYTES_A_SECOND, coding_delay
from telephony.sip.pcm import FrameSource, frame_bytes, pcm_format, received

RATE = 16000
TICK = 0.02
_AROUND = 0.15
FRAME_BYTES = frame_bytes(RATE)
SILENCE = np.zeros(FRAME_BYTES // 2, dtype=np.int16)

Codec: TypeAlias = Literal["PCMU", "PCMA", "G722"]
Transport: TypeAlias = Literal["udp", "tcp"]
CODECS: dict[Codec, str] = {"PCMU": "PCMU/8000/1", "PCMA": "PCMA/8000/1", "G722": "G722/16000/1"}
TRANSPORTS: dict[Transport, int] = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What answers a digest challenge (RFC 3261 section 22), whatever its realm."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Dialling:
    """One call to place. uri: a SIP URI; answer_within and at_most: seconds; proxy: where to send it instead."""

    uri: str
    caller: str = "caller"
    codec: Codec = "PCMU"
    transport: Transport = "udp"
    credentials: Credentials | None = None
    proxy: str | None = None
    answer_within: float = 20.0
    at_most: float = 300.0

    def __post_init__(self) -> None:
        if not self.uri.startswith(("sip:", "sips:")):
            raise ConfigError(f"not a SIP URI: {self.uri!r}; accepted is sip:name@host[:port]")
        if self.codec not in CODECS:
            raise ConfigError(f"unknown codec {self.codec!r}; accepted are {', '.join(CODECS)}")
        if self.transport not in TRANSPORTS:
            raise ConfigError(f"unknown transport {self.transport!r}; accepted are {', '.join(TRANSPORTS)}")


class Talker(Protocol):
    """Whoever holds the phone."""

    finished: bool

    def exchange(self, heard: Pcm) -> Pcm:
        """The next 20 ms to send, given the last 20 ms heard: both int16, shape (320,), 16 kHz.

        Called in every tick from the call's first to its last, on PJSIP's media thread: it must be quick.
        """
        ...

    def keys(self) -> str:
        """The DTMF digits to key now; each is asked for once."""
        ...


class Buffered(NamedTuple):
    """What a jitter buffer holds at second *at* of the recording, in seconds of audio."""

    at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """A call that was answered and is over.

    sent, heard: int16 at 16 kHz, of one length; sample 0 is the start of media. hung_up_by: who ended it.
    buffered: what lay in the caller's own jitter buffer, looked at about a hundred times a second.
    """

    sent: Pcm
    heard: Pcm
    hung_up_by: Literal["caller", "agent", "limit"]
    codec: str
    packets_lost: int
    buffered: tuple[Buffered, ...]

    def waited(self, at: float) -> float:
        """Seconds of what is heard at second *at* that were spent in this phone: in its jitter buffer, and coding.

        By Little's law the mean wait is the mean of what lies there, whatever the two clocks' phases are.
        """
        near = [held.seconds for held in self.buffered if abs(held.at - at) <= _AROUND]
        coding = 2 * coding_delay(self.codec)
        return (float(np.mean(near)) if near else 0.0) + coding

    def save(self, path: Path) -> None:
        """Write a stereo WAV at 16 kHz: left what was sent, right what was heard."""
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.column_stack((self.sent, self.heard)).astype("<i2").tobytes())


class _Ear(pj.AudioMediaPort):  # type: ignore[misc]
    """The bridge's port for one call. Its callbacks run on the media thread and touch plain Python only."""

    def __init__(self, talker: Talker) -> None:
        super().__init__()
        self.talker = talker
        self.sent: list[Pcm] = []
        self.heard: list[Pcm] = []
        self._source = FrameSource(FRAME_BYTES)
        self._latest = SILENCE
        self.createPort("ear", pcm_format(RATE))

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802 - PJSIP's name
        pcm = self.talker.exchange(self._latest)
        self.sent.append(pcm)
        # A tick that brings no frame leaves silence, so both recordings keep one length.
        self.heard.append(SILENCE)
        self._latest = SILENCE
        self._source.give(frame, pcm.tobytes())

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802 - PJSIP's name
        data = received(frame, FRAME_BYTES)
        if data is not None and self.heard:
            self._latest = self.heard[-1] = np.frombuffer(data, dtype=np.int16)


class _Line(pj.Call):  # type: ignore[misc]
    """One dialled call. Callbacks run in the pj thread, inside libHandleEvents."""

    def __init__(self, account: pj.Account, ear: _Ear) -> None:
        super().__init__(account)
        self.ear = ear
        self.confirmed = self.over = False
        self.status, self.reason = 0, ""
        self.codec, self.packets_lost = "", 0
        self.buffered: list[Buffered] = []
        self._connected = False

    def onCallState(self, _: Any) -> None:  # noqa: N802 - PJSIP's name
        info = self.getInfo()
        self.status, self.reason = info.lastStatusCode, info.lastReason
        self.confirmed = self.confirmed or info.state == pj.PJSIP_INV_STATE_CONFIRMED
        self.over = info.state == pj.PJSIP_INV_STATE_DISCONNECTED
        self._connect(info)

    def onCallMediaState(self, _: Any) -> None:  # noqa: N802 - PJSIP's name
        # `info` stays alive while its media are read: the members of a temporary dangle.
        info = self.getInfo()
        self._connect(info)

    def onCallTransferRequest(self, request: Any) -> None:  # noqa: N802 - PJSIP's name
        request.statusCode = 603

    def onCallReplaceRequest(self, request: Any) -> None:  # noqa: N802 - PJSIP's name
        request.statusCode = 603

    def _connect(self, info: Any) -> None:
        """Open both directions once the call is answered; early media stays unheard."""
        if self._connected or not self.confirmed or self.over:
            return
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                audio.startTransmit(self.ear)
                self.ear.startTransmit(audio)
                self._connected = True

    def measure(self) -> None:
        """Take the stream's figures while they are there: they are gone when the other side hangs up."""
        if self._connected:
            statistics = self.getStreamStat(0)
            self.codec = self.codec or self.getStreamInfo(0).codecName
            self.packets_lost = int(statistics.rtcp.rxStat.loss)
            held = statistics.jbuf.size * statistics.jbuf.frameSize / CODED_BYTES_A_SECOND
            self.buffered.append(Buffered(len(self.ear.heard) * TICK, held))


class Phone:
    """PJSIP's endpoint in this process. Open it, dial and close it in one and the same thread.

    Only one can be open in a process at a time.
    """

    def __init__(self, bound: str = "127.0.0.1", rtp_ports: tuple[int, int] = (22000, 29998)) -> None:
        self._bound = bound
        self._rtp_ports = rtp_ports
        self._endpoint: Any = None

    def __enter__(self) -> Self:
        _hush()
        endpoint = self._endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
        config.uaConfig.userAgent = "offhook-caller"
        config.logConfig.level = config.logConfig.consoleLevel = 0
        media = config.medConfig
        media.clockRate, media.audioFramePtime = RATE, 20
        media.ecTailLen, media.noVad, media.sndAutoCloseTime = 0, True, -1
        endpoint.libInit(config)
        endpoint.audDevManager().setNullDev()
        for kind in TRANSPORTS.values():
            transport = pj.TransportConfig()
            transport.port, transport.boundAddress = 0, self._bound
            endpoint.transportCreate(kind, transport)
        endpoint.libStart()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # PJSIP's objects abort the process when they outlive the library, as those in an error's frames would.
        if trace is not None:
            traceback.clear_frames(trace)
        gc.collect()
        self._endpoint.libDestroy()
        self._endpoint = None

    def call(self, dialling: Dialling, talker: Talker) -> PlacedCall:
        """Place one call, let *talker* talk until it is finished or the other side hangs up, and hang up.

        Raises CarrierRejected when nobody answers (the SIP status says why; 408 for no answer in time), and LegError
        when the URI cannot be dialled at all.
        """
        for name in CODECS.values():
            self._endpoint.codecSetPriority(name, 255 if name == CODECS[dialling.codec] else 0)
        account = pj.Account()
        account.create(self._account(dialling))
        try:
            outcome = self._dialled(account, dialling, talker)
        finally:
            account.shutdown()
            del account
            gc.collect()
        if isinstance(outcome, LegError):
            raise outcome
        return outcome

    def _dialled(self, account: Any, dialling: Dialling, talker: Talker) -> PlacedCall | LegError:
        """The call, or why there was none: an error raised here would hold this frame, and with it PJSIP's objects."""
        ear = _Ear(talker)
        line = _Line(account, ear)
        try:
            line.makeCall(_routed(dialling), pj.CallOpParam(True))
        except pj.Error as error:
            return LegError(f"cannot dial {dialling.uri}: {error.reason}")
        try:
            self._until(lambda: line.confirmed or line.over, dialling.answer_within)
            if line.confirmed:
                return self._talk(line, ear, dialling.at_most)
            status, reason = (line.status, line.reason) if line.over else (408, "nobody answered in time")
            return CarrierRejected(status, reason)
        finally:
            if not line.over:
                line.hangup(pj.CallOpParam())
                self._until(lambda: line.over, 4.0)
            # The library holds on to the call until its BYE is answered.
            self._until(lambda: False, 0.1)

    def _account(self, dialling: Dialling) -> Any:
        config = pj.AccountConfig()
        config.idUri = f"sip:{dialling.caller}@{self._bound}"
        rtp = config.mediaConfig.transportConfig
        rtp.boundAddress = self._bound
        rtp.port, last = self._rtp_ports
        rtp.portRange = last - rtp.port
        if dialling.proxy:
            config.sipConfig.proxies.append(f"{dialling.proxy};transport={dialling.transport};lr")
        if dialling.credentials:
            known = dialling.credentials
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", known.user, 0, known.password))
        return config

    def _talk(self, line: _Line, ear: _Ear, at_most: float) -> PlacedCall:
        def done() -> bool:
            keys = ear.talker.keys()
            if not line.over:
                line.measure()
                if keys:
                    line.dialDtmf(keys)
            return line.over or ear.talker.finished

        in_time = self._until(done, at_most)
        # One tick may be half done: the shorter list holds only whole ones.
        ticks = min(len(ear.sent), len(ear.heard))
        return PlacedCall(
            sent=_joined(ear.sent[:ticks]),
            heard=_joined(ear.heard[:ticks]),
            hung_up_by="agent" if line.over else "caller" if in_time else "limit",
            codec=line.codec,
            packets_lost=line.packets_lost,
            buffered=tuple(line.buffered),
        )

    def _until(self, done: Callable[[], bool], within: float) -> bool:
        """Run PJSIP until *done*; False when *within* seconds have passed first."""
        deadline = time.monotonic() + within
        while not done():
            if time.monotonic() > deadline:
                return False
            self._endpoint.libHandleEvents(10)
        return True


def _hush() -> None:
    """Keep PJSIP's start-up lines off standard output: they precede any log configuration that it accepts."""
    ctypes.CDLL(pj._pjsua2.__file__).pj_log_set_level(1)


def _routed(dialling: Dialling) -> str:
    """The URI with its transport: PJSIP chooses UDP where nothing is said."""
    if dialling.transport == "udp" or ";transport=" in dialling.uri:
        return dialling.uri
    return f"{dialling.uri};transport={dialling.transport}"


def _joined(frames: list[Pcm]) -> Pcm:
    return np.concatenate(frames) if frames else np.zeros(0, dtype=np.int16)
