"""Did a caller who made a sound over the agent want the turn? Weighs how it sounded with how it may be read.

The words decide where a classifier of sounds cannot: "right" and "why" differ in nothing else. The sound decides where
a recogniser cannot: given a cough or a hum, Whisper writes "you" or "Thank you." into it. And since a short sound is
misread as often as not, all that it may have been counts, by its probability, and not its likeliest reading alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from orchestrator.core.ports import Interjection, Reading
from orchestrator.dialogue.backchannels import Words, words_in

WANTED: Final = 0.15
"""A sound of at least this probability was an interruption; under it, the sentence is resumed where it was cut.

It is far under a half because errors weigh unlike: who is not heard has to say it again, over an agent that talks on.
"""

WEIGHTS: Final = (-3.52, 0.59, -0.44, -0.09, -0.79, 0.3, -1.03, -0.16)
"""Of the values of evidence(); fitted by benchmarks/interjections_fit.py."""

_SURE: Final = 1e-3  # the classifier is never surer than this
_READ: Final = 0.02  # nor is what was read in a sound


def evidence(sounded: Interjection, readings: Sequence[Reading], *, asked: bool = False) -> tuple[float, ...]:
    """What speaks for an interruption, as numbers whose weighted sum is its log-odds; the first is 1.

    Then log-odds of an interruption and of a noise by the sound; 1 when nothing was read in it; and when something was:
    log-odds of assent and of a command among the words, the probability that nobody spoke, and log-odds of words that
    recognisers invent. asked: the agent had begun a question, to which assent is an answer, so that it is a command.
    """
    by_sound = (1.0, _log_odds(sounded.interruption, _SURE), _log_odds(sounded.noise, _SURE))
    shares = dict.fromkeys(Words, 0.0)
    for reading in readings:
        shares[words_in(reading.text)] += reading.probability
    if asked:
        shares[Words.COMMAND] += shares[Words.ASSENT]
        shares[Words.ASSENT] = 0.0
    nobody = shares.pop(Words.NONE)
    spoken = sum(shares.values())
    if spoken <= 0.0:
        return *by_sound, 1.0, 0.0, 0.0, 0.0, 0.0
    assent, command, invented = (
        _log_odds(shares[kind] / spoken, _READ) for kind in (Words.ASSENT, Words.COMMAND, Words.INVENTED)
    )
    return *by_sound, 0.0, assent, command, nobody, invented


def wants_turn(sounded: Interjection, readings: Sequence[Reading] | None = None, *, asked: bool = False) -> float:
    """Probability in [0, 1] that the caller wants the turn.

    readings: None when no recogniser was asked, and then the sound alone decides. asked: see evidence().
    """
    if readings is None:
        return sounded.interruption
    odds = sum(weight * value for weight, value in zip(WEIGHTS, evidence(sounded, readings, asked=asked), strict=True))
    return 1.0 / (1.0 + math.exp(-odds))


def _log_odds(probability: float, least: float) -> float:
    kept = min(max(probability, least), 1.0 - least)
    return math.log(kept / (1.0 - kept))
