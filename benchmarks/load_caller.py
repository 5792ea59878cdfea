"""One light caller: signalling, RTP in both directions, a conversation. Twenty of them take a tenth of a core."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load_rtp import TICK, Arrivals, RtpSocket, level_dbfs
from benchmarks.load_sip import Dialog
from benchmarks.load_talk import Asked, Patience, Question, Talk
from orchestrator.core.errors import CarrierRejected

_LOUD_DBFS = -45.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One call. gateway: its SIP port; caller: how the stored call is found again."""

    gateway: int
    number: str
    caller: str
    questions: Sequence[Question]
    patience: Patience = Patience()


@dataclass(slots=True)
class Made:
    """One call as it went. refused: its status when it was not taken; late: seconds by which the caller's own packets
    missed their time; duration: seconds from the answer to the end."""

    plan: Plan
    refused: int | None = None
    greeted: bool = False
    duration: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    arrivals: Arrivals = field(default_factory=Arrivals)
    late: array[float] = field(default_factory=lambda: array("d"))
    cut_off: bool = False


async def make_call(plan: Plan) -> Made:
    """Call, talk until nothing is left to say, hang up."""
    made = Made(plan)
    rtp = RtpSocket()
    dialog = Dialog(plan.caller, plan.number, plan.gateway, rtp.port)
    try:
        try:
            media = await dialog.dial()
        except CarrierRejected as refusal:
            made.refused = refusal.status
            return made
        began = time.time()
        try:
            await _talk(made, dialog, rtp, media)
        finally:
            made.cut_off = dialog.ended.is_set()
            await dialog.hangup()
            made.duration = time.time() - began
    finally:
        rtp.close()
    return made


async def _talk(made: Made, dialog: Dialog, rtp: RtpSocket, media: tuple[str, int]) -> None:
    """Send 20 ms every 20 ms and take what comes, until the conversation is over or the agent has hung up."""
    loop = asyncio.get_running_loop()
    talk = Talk(made.plan.questions, made.plan.patience, time.time())
    made.asked = talk.asked

    def take() -> None:
        while (packet := rtp.receive()) is not None:
            made.arrivals.note(packet)
            talk.hear(level_dbfs(packet.payload) > _LOUD_DBFS, packet.at)

    loop.add_reader(rtp, take)
    due = loop.time()
    try:
        while not talk.done and not dialog.ended.is_set():
            made.late.append(loop.time() - due)
            rtp.send(talk.next_payload(time.time()), media)
            due += TICK
            await asyncio.sleep(due - loop.time())
    finally:
        loop.remove_reader(rtp)
        made.greeted = talk.greeted
