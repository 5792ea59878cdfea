"""A reply under way: said, cut short, or never there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np

from orchestrator.calls.ahead import Ahead
from orchestrator.calls.answering import Uttered
from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.dead_air import Waits
from orchestrator.calls.mouth import Mouth, ReplyEnded
from orchestrator.core.audio import AudioFrame
from orchestrator.core.errors import EngineTimeout
from orchestrator.core.events import EndReason
from orchestrator.core.turn import Turn
from tests.calls.scene import CALL_ID, Kept
from tests.fakes.leg import FakeLeg
from tests.virtual_clock import run_virtual

WAITS = Waits(filler=None, limit=2.0, stall=2.0)
SECOND = AudioFrame(np.ones(16000, dtype=np.int16), 16000)


async def reply(*sentences: str, after: float = 0.0) -> AsyncIterator[Uttered]:
    await asyncio.sleep(after)
    for sentence in sentences:
        yield Uttered(sentence, SECOND, sentence)
        yield Uttered(sentence, None)


@dataclass(slots=True)
class Spoken:
    """What became of one reply that is stopped at second *stopped*, if at all."""

    audio: AsyncIterator[Uttered]
    stopped: float | None = None
    last: EndReason | None = None
    leg: FakeLeg = field(default_factory=FakeLeg)
    told: list[ReplyEnded] = field(default_factory=list)

    def run(self) -> Spoken:
        run_virtual(self._run())
        return self

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            mouth = Mouth(group, self.leg, reply, Chronicle(CALL_ID, Kept(), self.leg.now), self.told.append)
            mouth.begin(Turn(0), self.audio, WAITS, self.last)
            if self.stopped is not None:
                if self.stopped:
                    await asyncio.sleep(self.stopped)
                await mouth.stop()
                assert not mouth.is_speaking()


def test_a_reply_that_is_over_is_told_once_with_all_its_words():
    (ended,) = Spoken(reply("One two.", "Three four.")).run().told
    assert (ended.heard, ended.failure, ended.stopped) == ("One two. Three four.", None, False)


def test_a_reply_that_is_stopped_is_told_once_the_leg_is_silent():
    spoken = Spoken(reply("One two.", "Three four."), stopped=1.05).run()
    (ended,) = spoken.told
    assert (ended.heard, ended.failure, ended.stopped) == ("One two.", None, True)
    assert spoken.leg.cleared == 1


def test_a_reply_that_is_stopped_before_it_could_begin_is_told_too():
    (ended,) = Spoken(reply("One two."), stopped=0.0).run().told
    assert (ended.heard, ended.stopped) == ("", True)


def test_a_draft_that_is_stopped_before_it_could_begin_is_made_no_further():
    async def call() -> None:
        async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
            leg = FakeLeg()
            mouth = Mouth(group, leg, reply, Chronicle(CALL_ID, Kept(), leg.now), lambda ended: None)
            draft = Ahead(group, reply(*(f"{number}." for number in range(20))), 4)
            await asyncio.sleep(1.0)
            mouth.begin(Turn(0), draft, WAITS)
            await mouth.stop()

    run_virtual(call())


def test_a_reply_that_does_not_come_in_time_has_failed():
    (ended,) = Spoken(reply("One two.", after=3.0)).run().told
    assert isinstance(ended.failure, EngineTimeout)
    assert not ended.heard


def test_a_reply_without_words_has_failed():
    (ended,) = Spoken(reply()).run().told
    assert ended.failure is not None


def test_the_leg_is_hung_up_behind_the_last_words_and_not_when_they_are_cut():
    assert Spoken(reply("Goodbye."), last=EndReason.SILENCE).run().leg.hung_up
    assert not Spoken(reply("Goodbye."), last=EndReason.SILENCE, stopped=0.5).run().leg.hung_up


def test_words_that_went_out_are_known_with_their_times_and_those_that_did_not_are_not():
    async def call() -> list[tuple[str, float, float]]:
        async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
            leg = FakeLeg()
            mouth = Mouth(group, leg, reply, Chronicle(CALL_ID, Kept(), leg.now), lambda ended: None)
            mouth.begin(Turn(0), reply("Long ago.", "One two.", "Three four."), WAITS)
            await asyncio.sleep(1.8)
            await mouth.stop()
            mouth.begin(Turn(1), reply("Five six.", after=1.2), WAITS)
            await asyncio.sleep(1.6)
            words = await mouth.words_since(1.2)
            await mouth.stop()
        return [(word.text, round(word.start, 1), round(word.end, 1)) for word in words]

    assert run_virtual(call()) == [("One", 1.0, 1.4), ("two.", 1.4, 1.8), ("Five", 3.0, 3.4)]


def test_the_times_of_words_are_those_that_the_voice_tells():
    async def told() -> AsyncIterator[Uttered]:
        yield Uttered("12 now.", AudioFrame(SECOND.pcm, SECOND.rate, word_ends=(0.3, 0.6, 1.0)), "one two now.")

    async def call() -> list[tuple[str, float]]:
        async with asyncio.timeout(10.0), asyncio.TaskGroup() as group:
            leg = FakeLeg()
            mouth = Mouth(group, leg, reply, Chronicle(CALL_ID, Kept(), leg.now), lambda ended: None)
            mouth.begin(Turn(0), told(), WAITS)
            await asyncio.sleep(0.7)
            words = await mouth.words_since(0.0)
            await mouth.stop()
        return [(word.text, round(word.start, 1)) for word in words]

    assert run_virtual(call()) == [("one", 0.0), ("two", 0.3), ("now.", 0.6)]
