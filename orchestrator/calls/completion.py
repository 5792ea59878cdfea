"""How likely it is that a caller who has paused is done: how it sounded, how the words end, what was asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.calls.wording import Ending, Progress, count, ending, progress
from orchestrator.core.expectation import ANYTHING, Expectation

# The turn detector is sure of itself far oftener than it is right.
_SUREST = 0.99
# A question as like the words as this is most likely asked, and whole: of paraphrases three fifths are so like it, of
# those that lack their last two words or more one in twelve.
_ALIKE = 0.75
# So many words tell nothing by their number (the median over pauses and ends); beyond the most, one more tells nothing.
_WORDS, _MOST_WORDS = 6, 10
# Words that are an answer by themselves, at most so many.
_BRIEF = 2
# The least that a model's likeliest tokens tell of, and what tells nothing: its median over the development split.
_RAREST, _USUAL = 1e-3, 0.09


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a pause. None: not known, or not yet.

    sound: the turn detector's probability that the caller is done; text: the words so far; sentence: the language
    model's probability that somebody who has said them has said the whole sentence; likeness: of the words to the
    question of the approved answer that they ask for, as a cosine, 0 when there is none.
    """

    sound: float | None = None
    text: str | None = None
    sentence: float | None = None
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: log odds of being done.

    sound, sentence: of each unit of the engines' own log odds, from what says nothing either way; length: the same of
    the logarithm of the number of words; brief: of one or two words, which are often all of an answer; question: of
    words that ask for an approved answer.

    Source: fitted by `python -m benchmarks.turn_ends --fit` on the development split, see docs/turn-taking.md.
    """

    base: float = 0.0
    sound: float = 1.0
    sentence: float = 0.0
    length: float = 0.0
    brief: float = 0.0
    question: float = 0.0
    endings: Mapping[Ending, float] = field(default_factory=dict)
    answers: Mapping[Progress, float] = field(default_factory=dict)


FITTED = Weights(
    base=0.49,
    sound=0.02,
    sentence=0.45,
    length=1.91,
    brief=1.62,
    question=1.06,
    endings={
        Ending.NOTHING: 1.74,
        Ending.OPEN: -0.76,
        Ending.NUMBER: -0.82,
        Ending.TRAILING: 0.59,
        Ending.CLOSING: 1.3,
    },
    answers={Progress.BEGUN: -0.35, Progress.WHOLE: 2.64},
)


def completion(
    evidence: Evidence, expects: Expectation = ANYTHING, *, language: str = "en", weights: Weights = FITTED
) -> float:
    """Probability in [0, 1] that the caller is done."""
    odds = weights.base
    if evidence.sound is not None:
        odds += weights.sound * log_odds(evidence.sound)
    if evidence.sentence is not None:
        odds += weights.sentence * sentence_odds(evidence.sentence)
    if asks(evidence):
        odds += weights.question
    if evidence.text is not None:
        odds += weights.length * length_odds(evidence.text)
        odds += weights.brief * is_brief(evidence.text)
        odds += weights.endings.get(ending(evidence.text, language), 0.0)
        odds += weights.answers.get(progress(evidence.text, expects, language), 0.0)
    return 1.0 / (1.0 + math.exp(-odds))


def asks(evidence: Evidence) -> bool:
    """Whether the words are as good as a question to which there is an approved answer."""
    return evidence.likeness is not None and evidence.likeness >= _ALIKE


def log_odds(finished: float) -> float:
    """The turn detector's probability *finished* as log odds."""
    sure = min(max(finished, 1.0 - _SUREST), _SUREST)
    return math.log(sure / (1.0 - sure))


def length_odds(text: str) -> float:
    """How much longer *text* is than what tells nothing, as a logarithm: pauses come early in what people say."""
    return math.log(min(max(count(text), 1), _MOST_WORDS) / _WORDS)


def is_brief(text: str) -> bool:
    """Whether *text* is no longer than what many answers are."""
    return 0 < count(text) <= _BRIEF


def sentence_odds(whole: float) -> float:
    """The language model's probability *whole* as log odds, from what says nothing either way.

    A word more is always possible: even behind a whole sentence a model seldom finds the end likelier than not.
    """
    sure = min(max(whole, _RAREST), _SUREST)
    return math.log(sure / (1.0 - sure)) - math.log(_USUAL / (1.0 - _USUAL))
