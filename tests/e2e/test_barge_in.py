"""A caller talks over a long reply, on the wire."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.human_speech import Recorded
from benchmarks.questions import questions
from benchmarks.system import System
from inference.registry import Registry, default_cache
from telephony.sip.caller import Phone

LONG = "Is there anything that you can tell me about your company?"
OVER = "prompt/vm-sorry"


def test_a_caller_who_talks_over_a_long_reply_hears_it_stop_and_only_what_was_heard_is_kept(
    offhook: System, phone: Phone, human: dict[str, Recorded]
) -> None:
    lines = questions({LONG, OVER}, Registry(), "cpu-tiny", default_cache() / "benchmark-speech")
    bench = Bench(phone, offhook, "demo", lines, print)

    measured, stored = bench.call("PCMU", [lines[LONG], replace(lines[OVER], over=3.0)])

    silenced = measured.turns[1].barge_in
    assert silenced is not None, "the agent was not speaking when it was interrupted"
    assert silenced <= 0.4
    interrupted = next(turn for turn in stored if turn.answer == "approved")
    assert interrupted.heard_text
    assert interrupted.reply_text.startswith(interrupted.heard_text)
    assert len(interrupted.heard_text) < len(interrupted.reply_text)
    assert "silenced" in interrupted.marks
