"""How much of what is personal masking finds, and what it costs: `python -m benchmarks.masking`.

The sentences are invented, and the rules were not written from them.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from orchestrator.core.privacy import Masking
from orchestrator.privacy.masks import find, masked
from orchestrator.privacy.spans import Kind, Span

HELD_OUT: Final = Path(__file__).with_name("masking_heldout.txt")
_MARK: Final = re.compile(r"\{(?P<kind>[a-z -]+)\|(?P<words>[^}]+)\}")
_WORD: Final = re.compile(r"\w+")
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, and where something personal is in it."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What masking did to sentences.

    covered, wanted: personal things that no word is left of, and all there are, by kind; right: of *masks*, that cover
    something personal; harmless, hidden: words of nobody, and those of them that are masked; missed: the sentences
    that something is left in; wronged: those in which a mask covers nothing personal.
    """

    covered: Counter[Kind]
    wanted: Counter[Kind]
    masks: int
    right: int
    harmless: int
    hidden: int
    missed: tuple[str, ...]
    wronged: tuple[str, ...]

    @property
    def recall(self) -> float:
        """Share of what is personal that no word is left of."""
        return self.covered.total() / self.wanted.total()

    @property
    def precision(self) -> float:
        """Share of the masks that cover something personal."""
        return self.right / self.masks


def held_out(path: Path = HELD_OUT) -> list[Sentence]:
    """The sentences of *path*."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [_sentence(line) for line in lines if line and not line.startswith("#")]


def _sentence(line: str) -> Sentence:
    text, spans, end = "", [], 0
    for match in _MARK.finditer(line):
        text += line[end : match.start()]
        spans.append(Span(len(text), len(text) + len(match["words"]), Kind(match["kind"])))
        text += match["words"]
        end = match.end()
    return Sentence(text + line[end:], tuple(spans))


def judged(sentences: Sequence[Sentence]) -> Found:
    """What masking everything does to *sentences*."""
    covered, wanted = Counter[Kind](), Counter[Kind]()
    masks = right = harmless = hidden = 0
    missed, wronged = [], []
    for sentence in sentences:
        found = find(sentence.text, Masking.ALL)
        shown = f"{sentence.text}  ->  {masked(sentence.text, Masking.ALL)}"
        for span in sentence.spans:
            wanted[span.kind] += 1
            words = list(_words(sentence.text, span))
            if all(_within(word, found) for word in words):
                covered[span.kind] += 1
            else:
                missed.append(shown)
        masks += len(found)
        touching = [one for one in found if any(one.start < s.end and s.start < one.end for s in sentence.spans)]
        right += len(touching)
        if len(touching) < len(found):
            wronged.append(shown)
        others = [word for word in _words(sentence.text) if not _within(word, sentence.spans)]
        harmless += len(others)
        hidden += sum(_within(word, found) for word in others)
    return Found(covered, wanted, masks, right, harmless, hidden, tuple(missed), tuple(wronged))


def _words(text: str, span: Span | None = None) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text, span.start if span else 0, span.end if span else len(text)):
        yield match.span()


def _within(word: tuple[int, int], spans: Sequence[Span]) -> bool:
    return any(span.start <= word[0] and word[1] <= span.end for span in spans)


def seconds_a_text(sentences: Sequence[Sentence]) -> float:
    """CPU seconds to mask everything in one of *sentences*."""
    started = time.process_time()
    for _ in range(_ROUNDS):
        for sentence in sentences:
            masked(sentence.text, Masking.ALL)
    return (time.process_time() - started) / _ROUNDS / len(sentences)


def main() -> None:
    """Print it."""
    console, sentences = Console(), held_out()
    found = judged(sentences)
    table = Table("kind", "covered", "of")
    for kind in Kind:
        table.add_row(kind.value, str(found.covered[kind]), str(found.wanted[kind]))
    console.print(table)
    console.print(f"recall {found.recall:.3f}, precision {found.precision:.3f}, of {found.masks} masks")
    console.print(f"harmless words masked: {found.hidden} of {found.harmless}")
    console.print(f"{seconds_a_text(sentences) * 1e6:.0f} µs a sentence")
    for heading, lines in (("left", found.missed), ("masked in vain", found.wronged)):
        for line in lines:
            console.print(f"{heading}: {line}", markup=False, highlight=False)


if __name__ == "__main__":
    main()
