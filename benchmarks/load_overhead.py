"""How much of a turn's wait is the orchestrator's own, read from the stored timeline of a call on stub engines.

A stub takes exactly the time in its manifest, so it is known when the reply could have been queued at the earliest:

    ready    = max(handled, begun + what the stubs take from there to the first audio)
    overhead = (handled - TURN_ENDED, beyond that of the call's quickest turn) + (QUEUED - ready)

handled is the event `state` that enters `process`: the moment at which the end of the turn was acted upon. begun is
LLM_STARTED when the reply was begun under the caller's silence, and handled + the lookup of approved answers otherwise.
TURN_ENDED is the time of a frame on the wire, behind which all other marks lie by the line's jitter buffer and decoder
even on an idle machine: hence the quickest turn. QUEUED, the given first audio, ends it; what follows is the gateway's
(span `playout`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inference.registry import Registry
from orchestrator.core.turn import Mark
from orchestrator.dialogue.sentences import SentenceCutter

# The end of a turn is corrected for the line's delay as it was measured, and may lie so far behind the moment at which
# it was acted upon; two turns are never that close.
_CORRECTED = 0.2


@dataclass(frozen=True, slots=True)
class StubDelays:
    """Seconds that the stubs of a profile take. lookup: of approved answers; first_audio: from the request to the
    language model to the first audio of the first sentence."""

    lookup: float
    first_audio: float


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds of one turn. late: from the end of the turn until it was acted upon; behind: from when the reply could
    have been queued until it was."""

    late: float
    behind: float

    @property
    def total(self) -> float:
        """Both."""
        return self.late + self.behind


def stub_delays(registry: Registry, profile: str) -> StubDelays:
    """What the manifests of *profile*, all stubs, say."""
    engines = registry.profile(profile).engines
    options = {kind: registry.manifest(engines[kind].model).options for kind in ("llm", "tts", "embed")}
    llm, tts, embed = (
        {name: float(value) for name, value in options[kind].items() if isinstance(value, int | float)}
        for kind in ("llm", "tts", "embed")
    )
    tokens = _tokens_of_first_sentence(str(options["llm"]["text"]))
    return StubDelays(embed["delay"], llm["first_token"] + (tokens - 1) * llm["per_token"] + tts["first_audio"])


def overheads(call: Mapping[str, Any], delays: StubDelays) -> list[Overhead]:
    """Of each turn of *call* (the API's answer) that the language model answered."""
    handled = [
        event["at"] for event in call["events"] if event["type"] == "state" and event["payload"]["to"] == "process"
    ]
    turns = [
        (turn["marks"], acted)
        for turn in call["turns"]
        if turn["answer"] == "llm" and Mark.QUEUED in turn["marks"] and Mark.LLM_STARTED in turn["marks"]
        if (acted := _first_after(handled, turn["marks"][Mark.TURN_ENDED])) is not None
    ]
    if not turns:
        return []
    quickest = min(acted - marks[Mark.TURN_ENDED] for marks, acted in turns)
    return [_overhead(marks, acted, quickest, delays) for marks, acted in turns]


def _overhead(marks: Mapping[str, float], handled: float, quickest: float, delays: StubDelays) -> Overhead:
    begun = min(marks[Mark.LLM_STARTED], handled + delays.lookup)
    ready = max(handled, begun + delays.first_audio)
    return Overhead(handled - marks[Mark.TURN_ENDED] - quickest, marks[Mark.QUEUED] - ready)


def _first_after(moments: Sequence[float], at: float) -> float | None:
    return min((moment for moment in moments if moment >= at - _CORRECTED), default=None)


def _tokens_of_first_sentence(text: str) -> int:
    """How many tokens of *text* the stub must have said before the voice can begin."""
    cutter = SentenceCutter()
    tokens = re.findall(r"\s*\S+", text)
    for count, token in enumerate(tokens, start=1):
        if cutter.feed(token):
            return count
    return len(tokens)
