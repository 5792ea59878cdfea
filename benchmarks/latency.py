"""Voice-to-voice latency: calls over SIP, every turn measured at the caller and compared with the agent's timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from benchmarks.bench import Bench
from benchmarks.caller import MeasuredTurn
from benchmarks.scenario import CallPlan, Scenario
from benchmarks.statistics import split_summary, summary
from benchmarks.system import SystemFailed
from benchmarks.timeline import AgentTurn, matched
from orchestrator.core.errors import LegError
from telephony.sip.caller import Codec


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """A turn as the caller measured it, and as the agent stored it (None when nothing stored fits).

    call: which of the scenario's; repetition: which time the scenario was gone through. Both count from 0.
    """

    call: int
    codec: Codec
    measured: MeasuredTurn
    stored: AgentTurn | None
    repetition: int = 0

    @property
    def voice_to_voice(self) -> float | None:
        """Seconds at the caller; None without a reply."""
        return self.measured.sound.voice_to_voice if self.measured.sound else None

    @property
    def answered(self) -> bool:
        """Whether a reply was heard; a line that was never said was not answered."""
        return self.measured.sound is not None and self.measured.sound.reply_ended is not None

    @property
    def cut_in(self) -> bool:
        """Whether the agent spoke over the end of the question, so that there is no latency to tell."""
        return self.measured.sound is not None and self.measured.sound.cut_in

    @property
    def kind(self) -> str:
        """Who decided the words of the reply; "unknown" when the agent stored no such turn."""
        return self.stored.answer if self.stored else "unknown"

    @property
    def timeline_error(self) -> float | None:
        """How much longer this turn was on the wire than the timeline tells, in seconds; negative: shorter.

        The wait in the caller's own jitter buffer is heard, and so part of the latency; but it lies behind the wire,
        where no timeline of the agent's can see it.
        """
        told = self.stored.spans.get("voice_to_voice") if self.stored else None
        waited = self.measured.waited
        if told is None or waited is None or self.voice_to_voice is None:
            return None
        return self.voice_to_voice - waited - told


def place_calls(bench: Bench, scenario: Scenario, repeat: int = 1) -> list[JudgedTurn]:
    """The turns of every call of the scenario, gone through *repeat* times.

    Lines that a call did not reach count as unanswered.
    """
    turns: list[JudgedTurn] = []
    for repetition in range(repeat):
        if repeat > 1:
            bench.told(f"run {repetition + 1} of {repeat}")
        for index, plan in enumerate(scenario.calls):
            for turn in _judged_call(bench, index, plan):
                turns.append(replace(turn, repetition=repetition))
                bench.told(_told(turn))
    return turns


def _judged_call(bench: Bench, index: int, plan: CallPlan) -> list[JudgedTurn]:
    asked = [bench.lines[words] for words in plan.lines]
    done: list[MeasuredTurn] = []
    stored: list[AgentTurn] = []
    try:
        measured, stored = bench.call(plan.codec, asked)
        done += measured.turns
    except (LegError, SystemFailed) as error:
        bench.told(f"call {index + 1}  failed: {error}")
    done += [MeasuredTurn(line, None) for line in asked[len(done) :]]
    return [JudgedTurn(index, plan.codec, turn, agent) for turn, agent in zip(done, matched(done, stored), strict=True)]


def latency_figures(turns: list[JudgedTurn]) -> dict[str, object]:
    """The figures of these turns, of all repetitions together, split by the kind of answer beside the total."""
    spans: dict[str, list[float]] = defaultdict(list)
    for turn in turns:
        for name, seconds in turn.stored.spans.items() if turn.stored else ():
            spans[name].append(seconds)
    return {
        "voice_to_voice_s": split_summary(_by_kind((turn.kind, turn.voice_to_voice) for turn in turns)),
        "voice_to_voice_p95_by_run_s": _p95_by_run(turns),
        "timeline_error_s": split_summary(
            _by_kind((turn.kind, None if turn.timeline_error is None else abs(turn.timeline_error)) for turn in turns)
        ),
        "spans_s": {name: summary(seconds) for name, seconds in sorted(spans.items())},
        "unanswered": sum(not turn.answered for turn in turns),
        "cut_in": sum(turn.cut_in for turn in turns),
        "unmatched": sum(turn.stored is None for turn in turns),
        "turns": [_row(turn) for turn in turns],
    }


def _p95_by_run(turns: list[JudgedTurn]) -> list[float | None]:
    """The 95th percentile of each repetition by itself; None for one without a single latency."""
    runs: dict[int, list[float]] = {turn.repetition: [] for turn in turns}
    for turn in turns:
        if turn.voice_to_voice is not None:
            runs[turn.repetition].append(turn.voice_to_voice)
    return [summary(runs[repetition])["p95"] for repetition in sorted(runs)]


def _by_kind(values: Iterable[tuple[str, float | None]]) -> dict[str, list[float]]:
    """The values that there are, by kind; approved and llm are always there."""
    found: dict[str, list[float]] = {"approved": [], "llm": []}
    for kind, value in values:
        if value is not None:
            found.setdefault(kind, []).append(value)
    return found


def _row(turn: JudgedTurn) -> dict[str, object]:
    stored = turn.stored
    return {
        "run": turn.repetition,
        "call": turn.call,
        "codec": turn.codec,
        "line": turn.measured.line.name,
        "answer": turn.kind,
        "voice_to_voice_s": turn.voice_to_voice,
        "timeline_error_s": turn.timeline_error,
        "behind_wire_s": turn.measured.waited,
        "cut_in": turn.cut_in,
        "asked": turn.measured.line.text,
        "understood": stored.caller_text if stored else None,
        "replied": stored.reply_text if stored else None,
        "spans_s": dict(stored.spans) if stored else {},
    }


def _told(turn: JudgedTurn) -> str:
    latency = "no reply" if turn.voice_to_voice is None else f"{turn.voice_to_voice:.2f} s"
    error = "" if turn.timeline_error is None else f"  timeline {turn.timeline_error * 1000:+.0f} ms"
    return f"call {turn.call + 1}  {turn.codec:4}  {turn.kind:8}  {latency:>8}{error}  {turn.measured.line.name}"


def turn_rows(turns: Iterable[JudgedTurn]) -> list[dict[str, object]]:
    """Each turn for itself: who answered, seconds at the caller, and the spans of the agent's own timeline."""
    return [
        {
            "kind": turn.kind,
            "codec": turn.codec,
            "voice_to_voice_s": turn.voice_to_voice,
            "spans_s": dict(turn.stored.spans) if turn.stored else {},
        }
        for turn in turns
    ]
