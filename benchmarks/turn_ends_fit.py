"""Fits the weights of orchestrator/calls/completion.py to the development split, by logistic regression."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.logistic import logistic_regression
from benchmarks.turn_ends_figures import judged
from benchmarks.turn_ends_listener import Outcome, Pause
from orchestrator.calls.completion import Evidence, Weights, asks, is_brief, length_odds, log_odds, sentence_odds
from orchestrator.calls.wording import Ending, Progress, ending, progress
from orchestrator.core.expectation import Expectation

# The ones left out are what the base stands for.
_ENDINGS = [kind for kind in Ending if kind is not Ending.CLOSED]
_ANSWERS = [kind for kind in Progress if kind is not Progress.OTHER]


def fitted(outcomes: Iterable[Outcome]) -> Weights:
    """The weights that tell the ends from the pauses of *outcomes* best, both counting the same in all."""
    rows, done = [], []
    for outcome in outcomes:
        for group, is_end in zip(judged([outcome]), (True, False), strict=True):
            rows += [_row(pause, outcome.spoken.expects) for pause in group]
            done += [is_end] * len(group)
    labels = np.array(done, dtype=np.float64)
    weight = np.where(labels == 1.0, 0.5 / labels.mean(), 0.5 / (1.0 - labels.mean()))
    found = [round(float(value), 2) for value in logistic_regression(np.array(rows), labels, weight)]
    base, sound, sentence, length, brief, question, *rest = found
    endings, answers = rest[: len(_ENDINGS)], rest[len(_ENDINGS) :]
    return Weights(
        base,
        sound,
        sentence,
        length,
        brief,
        question,
        dict(zip(_ENDINGS, endings, strict=True)),
        dict(zip(_ANSWERS, answers, strict=True)),
    )


def _row(pause: Pause, expects: Expectation) -> Sequence[float]:
    how, far = ending(pause.text, "en"), progress(pause.text, expects, "en")
    return [
        1.0,
        log_odds(pause.verdicts[0]) if pause.verdicts else 0.0,
        0.0 if pause.sentence is None else sentence_odds(pause.sentence),
        length_odds(pause.text),
        float(is_brief(pause.text)),
        float(asks(Evidence(likeness=pause.likeness))),
        *(float(how is kind) for kind in _ENDINGS),
        *(float(far is kind) for kind in _ANSWERS),
    ]
