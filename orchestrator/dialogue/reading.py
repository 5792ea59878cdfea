"""How an agent's voice reads what is written: its own pronunciations, then the spoken form of its language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from re import Match

from orchestrator.dialogue.spoken_form import spoken, warm


class Reading:
    """Gives the text for the voice; what is written stays in history and transcript.

    language: BCP 47 tag; pronunciations: word or words → how they are written for the voice, neither empty; matched
    whole and whatever their case, but not within an e-mail or web address. Made before the first call: it loads what
    the language needs.
    """

    def __init__(self, language: str, pronunciations: Mapping[str, str]) -> None:
        self._language = language
        self._said = {word.casefold(): said for word, said in pronunciations.items()}
        words = "|".join(re.escape(word) for word in sorted(pronunciations, key=len, reverse=True))
        self._words = re.compile(rf"(?<![\w@])(?<!\w\.)(?:{words})(?![\w@]|\.\w)", re.IGNORECASE) if words else None
        warm(language)

    def __call__(self, text: str) -> str:
        """What the voice should be given for *text*."""
        if self._words is not None:
            text = self._words.sub(self._pronounced, text)
        return spoken(text, self._language)

    def _pronounced(self, match: Match[str]) -> str:
        said = self._said.get(match[0].casefold(), match[0])
        # "Dr." is a doctor in front of a capital only.
        return said[0].upper() + said[1:] if match[0][0].isupper() else said


def words_said(written: str, spoken: str, count: int) -> int:
    """How many words of *written* have been said with the first *count* of *spoken*, which is how it is read.

    A word that is read as several, such as "$12.50", has been said with the last of them.
    """
    theirs, ours = written.split(), spoken.split()
    said = 0
    for tag, first, last, begun, done in SequenceMatcher(None, theirs, ours, autojunk=False).get_opcodes():
        if count >= done:
            said = last
            continue
        part = count - begun if tag == "equal" else (last - first) * (count - begun) // max(1, done - begun)
        return first + max(0, part)
    return said
