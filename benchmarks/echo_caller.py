"""Callers whose telephones send back what they hear: which telephones there are, and calls from them side by side."""

from __future__ import annotations

import multiprocessing
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.caller import MeasuredCall, as_sent, read_call
from benchmarks.conversation import RATE, Conversation, Line, Manners
from benchmarks.echo_line import EchoLine, Place
from benchmarks.echo_phone import EchoingPhone
from orchestrator.core.audio import Pcm
from orchestrator.core.errors import LegError
from telephony.sip.caller import Codec, Dialling, Phone

_DELAYS = (0.04, 0.12, 0.25, 0.4)
_LEVELS = (-6.0, -12.0, -18.0, -24.0, -30.0)
_CODECS: tuple[Codec, ...] = ("PCMU", "G722", "PCMA")
_PLACES: tuple[Place, ...] = ("room", "handset", "hybrid", "room", "leak")
_NOISES = (-68.0, -60.0, -52.0)
_SEED = 3000
_RTP_PORTS, _PORTS_A_PHONE = 30000, 100


@dataclass(frozen=True, slots=True)
class Telephone:
    """What a call is made with. line: its echo, None for none; noise_dbfs: of the place."""

    codec: Codec
    line: EchoLine | None
    noise_dbfs: float

    def __str__(self) -> str:
        if self.line is None:
            return f"{self.codec} without echo"
        return f"{self.codec} {self.line.place} {1000 * self.line.delay:.0f} ms {self.line.level:.0f} dB"


@dataclass(frozen=True, slots=True)
class Errand:
    """A call to make. lines: what is said in it; seconds: how long to listen when that is nothing."""

    uri: str
    telephone: Telephone
    lines: tuple[Line, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """An errand that was run. caller: how the stored call is found; call: as the caller heard it, its echo left out of
    what was sent; failure: why there was no call.
    """

    errand: Errand
    caller: str
    call: MeasuredCall | None
    failure: str = ""


@dataclass(slots=True)
class Listener:
    """Says nothing until the time is over."""

    seconds: float
    finished: bool = False

    def keys(self) -> str:
        """None."""
        return ""

    def exchange(self, heard: Pcm) -> Pcm:
        """Silence."""
        self.seconds -= len(heard) / RATE
        self.finished = self.seconds <= 0
        return np.zeros_like(heard)


def telephones(count: int, *, echo: bool) -> list[Telephone]:
    """The same *count* telephones each time: all delays, places, levels, codecs and noises in turn."""
    found = []
    for n in range(count):
        line = EchoLine(_PLACES[n % 5], _DELAYS[n % 4], _LEVELS[(2 * n + n // 5) % 5], _SEED + n)
        found.append(Telephone(_CODECS[n % 3], line if echo else None, _NOISES[(n // 2) % 3]))
    return found


def run(errands: Iterable[Errand], at_once: int) -> Iterator[Done]:
    """Run the *errands*, so many at once, each in a process of its own: PJSIP has one telephone a process."""
    ports = ((first, first + _PORTS_A_PHONE - 2) for first in range(_RTP_PORTS, 65000, _PORTS_A_PHONE))
    with ThreadPoolExecutor(at_once) as pool:
        for done in as_completed([pool.submit(_run_apart, errand, next(ports)) for errand in errands]):
            yield done.result()


def _run_apart(errand: Errand, ports: tuple[int, int]) -> Done:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        try:
            return process.submit(_run, errand, ports).result()
        except BrokenProcessPool:
            # PJSIP's wheel is a debug build: a failed assertion ends the process.
            return Done(errand, "", None, "the telephone's process died")


def _run(errand: Errand, ports: tuple[int, int]) -> Done:
    caller = f"echo-{uuid.uuid4().hex[:12]}"
    telephone = errand.telephone
    dialling = Dialling(errand.uri, caller=caller, codec=telephone.codec)
    conversation = Conversation(tuple(as_sent(line, telephone.codec) for line in errand.lines), Manners(quiet=2.0))
    talker = conversation if errand.lines else Listener(errand.seconds)
    echoing = EchoingPhone(talker, telephone.line, telephone.noise_dbfs)
    try:
        with Phone(rtp_ports=ports) as phone:
            placed = phone.call(dialling, echoing)
    except LegError as error:
        return Done(errand, caller, None, str(error))
    said = np.concatenate([*echoing.said, placed.sent[:0]])[: len(placed.sent)]
    return Done(errand, caller, read_call(replace(placed, sent=said), conversation.said))
