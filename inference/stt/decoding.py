"""Judges what Whisper's decoder wrote: ended by itself, ran into a loop, or made words of noise.

With a short encoder context the decoder often misses the end of the audio and says the same words again until it is
stopped. The first round is right, so cutting the loop off saves a second pass; only what cannot be cut needs one.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import Final

# Fast speech, digits included, stays below this many tokens a second; the constant serves one-word answers.
TOKENS_PER_SECOND: Final = 6.0
TOKENS_AT_LEAST: Final = 8
# A shorter round may be what was said ("five five five"); a longer one is not said twice in exactly the same tokens.
LOOP_TOKENS: Final = 4
LOOP_TRIGRAM_SHARE: Final = 0.6
# Measured over human recordings: right transcripts lie above, transcripts of another clip below.
LOGPROB_FLOOR: Final = -1.2
# Whisper's own thresholds: transcribe.py of openai/whisper.
NO_SPEECH: Final = 0.6
NO_SPEECH_LOGPROB: Final = -1.0
COMPRESSION: Final = 2.4


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the decoder wrote. logprob: mean per token; no_speech: probability that nobody spoke; cut: stopped by us."""

    tokens: tuple[int, ...]
    logprob: float
    no_speech: float
    cut: bool

    @property
    def is_noise(self) -> bool:
        """Whether the decoder itself doubts that there was speech."""
        return self.no_speech > NO_SPEECH and self.logprob < NO_SPEECH_LOGPROB

    @property
    def is_sound(self) -> bool:
        """Whether it ended by itself, does not repeat itself and is fairly sure."""
        looped = repeats(self.tokens) or first_round(self.tokens) is not None
        return not self.cut and not looped and self.logprob >= LOGPROB_FLOOR

    def without_loop(self) -> Hypothesis | None:
        """The same up to the end of the first round, when it was stopped in a loop that nobody can have said."""
        if not self.cut or self.logprob < LOGPROB_FLOOR:
            return None
        end = first_round(self.tokens)
        return replace(self, tokens=self.tokens[:end], cut=False) if end is not None else None


def token_limit(duration: float) -> int:
    """The most tokens that *duration* seconds of speech can hold."""
    return int(TOKENS_PER_SECOND * duration) + TOKENS_AT_LEAST


def repeats(tokens: tuple[int, ...]) -> bool:
    """Whether many of the trigrams of *tokens* occur more than once."""
    trigrams = list(zip(tokens, tokens[1:], tokens[2:], strict=False))
    return len(tokens) >= 2 * LOOP_TOKENS and len(set(trigrams)) < LOOP_TRIGRAM_SHARE * len(trigrams)


def first_round(tokens: tuple[int, ...]) -> int | None:
    """Where the first round ends, when *tokens* end in a loop of rounds that are long enough to tell; else None.

    The last round may be unfinished, but has to have begun: as many tokens again as the shortest round.
    """
    best: tuple[int, int] | None = None
    for period in range(1, len(tokens) - LOOP_TOKENS + 1):
        looped = 0
        while looped + period < len(tokens) and tokens[-1 - looped] == tokens[-1 - looped - period]:
            looped += 1
        if looped >= max(LOOP_TOKENS, period // 2) and (best is None or looped + period > best[0] + best[1]):
            best = (looped, period)
    if best is None or best[1] < LOOP_TOKENS:
        return None
    return len(tokens) - best[0]


# Four words or more and a final mark, then one or two words of letters without one.
_BEGUN_ROUND = re.compile(r"(?P<said>(?:\S+\s+){3,}\S*[^\W\d]{2,}[.?!])\s+(?P<begun>[^\W\d]{2,}(?:\s+[^\W\d]{2,})?)")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!])\s+")
_ABBREVIATED = ("mr.", "mrs.", "ms.", "dr.", "st.")


def without_begun_round(text: str) -> str:
    """*text* without a word or two behind its last sentence with which one of its sentences begins.

    "Which folder do they go to? Which" is a second round that the decoder gave up. Letters, figures and what stands
    behind an abbreviation are kept: they are said twice.
    """
    found = _BEGUN_ROUND.fullmatch(text)
    if found is None or found["said"].lower().endswith(_ABBREVIATED):
        return text
    begun = found["begun"].lower().split()
    sentences = _SENTENCE_ENDS.split(found["said"].lower())
    again = any(re.findall(r"\w+", sentence)[: len(begun)] == begun for sentence in sentences)
    return found["said"] if again else text


def is_monotonous(text: str) -> bool:
    """Whether *text* compresses like a loop rather than like language."""
    data = text.encode()
    return len(data) / max(1, len(zlib.compress(data))) > COMPRESSION
