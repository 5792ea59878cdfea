"""Figures of the end of turn: how often callers are cut off, and how long they wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from benchmarks.turn_ends_listener import Outcome, Pause
from benchmarks.turn_ends_set import STRUCTURED

Figures: TypeAlias = dict[str, object]
REPLY = 0.3
"""Seconds from the end of a turn to the first sound of the reply: a cut-off that is mended sooner is not heard."""
_SLACK = 0.03


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Everything about *outcomes*: as a whole, by kind, by speaker, and of unseen speakers.

    wait_s: from the end of the speech's energy to the end of the turn, with its words, of complete utterances that were
    not cut off; added_wait_s: what of it came after the words were known, for patience alone. cut_off: of all turns;
    cut_off_paused: of those with a pause; heard: of all turns, those in which the reply sounds before the caller goes
    on; after the others both sides notice nothing, for the turn goes on.
    """
    kinds = sorted({outcome.spoken.kind for outcome in outcomes})
    speakers = sorted({outcome.spoken.speaker for outcome in outcomes})
    return {
        **_figures(outcomes),
        "structured": _figures([one for one in outcomes if one.spoken.kind in STRUCTURED]),
        "unseen_speakers": _figures([one for one in outcomes if one.spoken.unseen]),
        "kinds": {kind: _figures([one for one in outcomes if one.spoken.kind == kind]) for kind in kinds},
        "speakers": {name: _figures([one for one in outcomes if one.spoken.speaker == name]) for name in speakers},
    }


def sound_alone(outcomes: Iterable[Outcome]) -> Figures:
    """The turn detector's first word, without anything else: how often it takes what for finished, and its AUC."""
    ends, pauses = judged(outcomes)
    finished, unfinished = ([pause.verdicts[0] for pause in group if pause.verdicts] for group in (ends, pauses))
    wins = [(one > two) + 0.5 * (one == two) for one in finished for two in unfinished]
    return {
        "ends": len(finished),
        "ends_taken_for_finished": _share([value >= 0.5 for value in finished]),
        "pauses": len(unfinished),
        "pauses_taken_for_finished": _share([value >= 0.5 for value in unfinished]),
        "auc": round(float(np.mean(wins)), 3) if wins else None,
    }


def judged(outcomes: Iterable[Outcome]) -> tuple[list[Pause], list[Pause]]:
    """The ends of the speech and the pauses in it that were judged; gaps that are no pauses are left out."""
    ends: list[Pause] = []
    pauses: list[Pause] = []
    for outcome in outcomes:
        stretches = outcome.spoken.stretches
        for pause in outcome.pauses:
            before = [end for start, end in stretches if start < pause.at]
            if pause.known is not None and before and pause.at >= before[-1] - _SLACK:
                (ends if len(before) == len(stretches) else pauses).append(pause)
    return ends, pauses


def _figures(outcomes: Sequence[Outcome]) -> Figures:
    paused = [outcome for outcome in outcomes if outcome.spoken.paused]
    whole = [outcome for outcome in outcomes if not outcome.spoken.paused]
    waits = [one.wait for one in whole if one.wait is not None]
    added = [one.patience for one in whole if one.patience is not None]
    return {
        "turns": len(outcomes),
        "paused": len(paused),
        "cut_off": _share([outcome.cut_off for outcome in outcomes]),
        "cut_off_paused": _share([outcome.cut_off for outcome in paused]),
        "heard": _share([outcome.audible(REPLY) for outcome in outcomes]),
        "wait_s": {"p50": _percentile(waits, 50), "p90": _percentile(waits, 90)},
        "added_wait_s": {"p50": _percentile(added, 50), "p90": _percentile(added, 90)},
        "pauses_a_turn": round(float(np.mean([len(one.pauses) for one in outcomes])), 2) if outcomes else None,
    }


def _share(flags: Sequence[bool]) -> float | None:
    return round(float(np.mean(flags)), 4) if flags else None


def _percentile(values: Sequence[float], percent: int) -> float | None:
    return round(float(np.percentile(values, percent)), 3) if values else None
