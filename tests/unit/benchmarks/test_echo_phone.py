"""The phone that sends back what it hears."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conversation import FRAME, RATE
from benchmarks.echo_caller import Listener, telephones
from benchmarks.echo_line import EchoLine
from benchmarks.echo_phone import EchoingPhone
from orchestrator.core.audio import Pcm, level_dbfs

SILENT = -120.0


def sent(line: EchoLine | None, heard: Pcm) -> tuple[EchoingPhone, Pcm]:
    phone = EchoingPhone(Listener(len(heard) / RATE), line, SILENT)
    return phone, np.concatenate([phone.exchange(heard[at : at + FRAME]) for at in range(0, len(heard), FRAME)])


def hiss(seconds: float) -> Pcm:
    return np.random.default_rng(1).normal(scale=2000.0, size=round(seconds * RATE)).astype(np.int16)


@pytest.mark.parametrize("level", [-6.0, -24.0])
def test_what_is_heard_comes_back_later_and_softer(level: float) -> None:
    heard = hiss(2.0)
    _, out = sent(EchoLine("hybrid", 0.25, level, 1), heard)
    assert not out[: RATE // 4].any()
    assert level_dbfs(out[RATE // 2 :]) == pytest.approx(level_dbfs(heard) + level, abs=1.5)


def test_a_suppressor_opens_and_closes() -> None:
    _, out = sent(EchoLine("leak", 0.04, -6.0, 1), hiss(8.0))
    levels = [level_dbfs(out[at : at + FRAME]) for at in range(RATE, len(out), FRAME)]
    assert max(levels) - min(levels) > 20.0


def test_without_an_echo_nothing_comes_back() -> None:
    assert not sent(None, hiss(1.0))[1].any()


def test_it_is_finished_with_its_caller_and_keeps_what_only_the_caller_said() -> None:
    phone, out = sent(EchoLine("handset", 0.04, -12.0, 1), hiss(1.0))
    assert phone.finished
    assert len(np.concatenate(phone.said)) == len(out)
    assert not np.concatenate(phone.said).any()


def test_fifteen_telephones_have_every_place_delay_level_and_codec() -> None:
    chosen = telephones(15, echo=True)
    lines = [one.line for one in chosen if one.line is not None]
    assert {line.place for line in lines} == {"room", "handset", "hybrid", "leak"}
    assert {line.delay for line in lines} == {0.04, 0.12, 0.25, 0.4}
    assert {line.level for line in lines} == {-6.0, -12.0, -18.0, -24.0, -30.0}
    assert {one.codec for one in chosen} == {"PCMU", "PCMA", "G722"}
    assert all(one.line is None for one in telephones(15, echo=False))
