"""Does the history hold what the caller heard? The caller's recording of each interrupted reply, transcribed, tells.

A transcript has errors of its own, so it is not compared with the history word by word: it only says how far into the
reply the recording reaches. Of all beginnings of the reply's text the one that is most like the transcript is what was
heard, letter by letter and with numbers as they are spoken, so that a misheard word moves nothing unless it is the
last, and a word cut in two counts by what is left of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.bargein import Interrupted
from benchmarks.statistics import summary
from benchmarks.wer import normalized
from orchestrator.core.ports import Recognizer
from orchestrator.dialogue.reading import words_said
from orchestrator.dialogue.spoken_form import spoken


@dataclass(frozen=True, slots=True)
class HeardWords:
    """An interrupted reply as planned, what of it the history keeps, and the transcript of the caller's recording."""

    planned: str
    kept: str
    transcript: str

    @property
    def off(self) -> int:
        """By how many words the history is ahead of the recording; negative: behind it."""
        return len(self.kept.split()) - words_reached(self.planned, self.transcript)


def heard_words(found: Sequence[Interrupted], recognizer: Recognizer) -> list[HeardWords | None]:
    """For each interruption what was heard of the reply; None where the agent was silent, or stored no such reply."""
    return asyncio.run(_heard_words(found, recognizer))


async def _heard_words(found: Sequence[Interrupted], recognizer: Recognizer) -> list[HeardWords | None]:
    heard: list[HeardWords | None] = []
    for one in found:
        if one.silenced is None or one.reply is None:
            heard.append(None)
            continue
        transcript = await recognizer.recognize(one.heard, language="en")
        heard.append(HeardWords(one.reply.reply_text, one.reply.heard_text, transcript.text))
    return heard


def heard_words_figures(found: Sequence[HeardWords | None]) -> dict[str, object]:
    """Words, whatever their sign, by which the history is off; within_1: the share that is off by one at the most."""
    off = [abs(one.off) for one in found if one is not None]
    within = round(sum(words <= 1 for words in off) / len(off), 4) if off else None
    ahead = [one.off for one in found if one is not None]
    counts = {f"{words:+d}": ahead.count(words) for words in sorted(set(ahead))}
    return {"heard_words_off": {**summary(off), "within_1": within, "distribution": counts}}


def interruption_rows(found: Sequence[Interrupted], heard: Sequence[HeardWords | None]) -> list[dict[str, object]]:
    """What came of each interruption, for whoever looks into a figure."""
    return [
        {
            "codec": one.codec,
            "line": one.line.name,
            "over_s": one.line.over,
            "answer": one.kind,
            "barge_in_s": one.silenced,
            "planned": words.planned if words else None,
            "kept": words.kept if words else None,
            "transcript": words.transcript if words else None,
            "heard_words_off": words.off if words else None,
        }
        for one, words in zip(found, heard, strict=True)
    ]


def words_reached(planned: str, transcript: str) -> int:
    """How many words of *planned* were said by the end of *transcript*.

    The letters of so many words are the fewest changes (Levenshtein) away from those of the transcript.
    """
    read = spoken(planned, "en")
    said = [_letters(word) for word in read.split()]
    changes = _changes(_letters(spoken(transcript, "en")), "".join(said))
    ends = np.cumsum([0, *map(len, said)])
    return words_said(planned, read, int(np.argmin(changes[ends])))


def _letters(text: str) -> str:
    return normalized(text).replace(" ", "")


def _changes(text: str, other: str) -> NDArray[np.int64]:
    """The Levenshtein distance of *text* from each beginning of *other*: shape (len(other) + 1,)."""
    row = np.arange(len(other) + 1)
    for number, letter in enumerate(text, 1):
        substituted = row[:-1] + np.array([letter != its for its in other], dtype=np.int64)
        best = np.concatenate(([number], np.minimum(substituted, row[1:] + 1)))
        # A letter of the other's added costs one more than what ends before it.
        row = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return row
