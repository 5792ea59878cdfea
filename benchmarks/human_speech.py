"""Recordings of people with their words, from Debian packages: fetched where they are needed, never committed.

pocketsphinx-testdata: five sentences of an audio book, five calls of cards and three commands and numbers of other
speakers, 16 kHz (public domain and BSD).
asterisk-core-sounds-en-wav: prompts of a telephone system, 8 kHz; words in asterisk-core-sounds-en (CC-BY-SA 3.0).
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.errors import ConfigError

_POCKETSPHINX = Path("/usr/share/pocketsphinx/test/data")
_COMMANDS = {
    "goforward": ("goforward.raw", "go forward ten meters"),
    "something": ("something.raw", "go somewhere and do something"),
    "2934z": ("tidigits/dhd.2934z.raw", "two nine three four zero"),
}
_PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_PROMPT_WORDS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_PACKAGES = "apt-get install pocketsphinx-testdata asterisk-core-sounds-en asterisk-core-sounds-en-wav"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording and its words. name: set/recording."""

    name: str
    path: Path
    text: str


def recordings() -> dict[str, Recorded]:
    """Every recording by name: cards/…, book/…, spoken/… and prompt/….

    Raises ConfigError when the packages are missing.
    """
    try:
        found = [
            *_sphinx("cards", _POCKETSPHINX / "cards" / "cards.transcription"),
            *_sphinx("book", _POCKETSPHINX / "librivox" / "transcription"),
            *(Recorded(f"spoken/{name}", _POCKETSPHINX / file, text) for name, (file, text) in _COMMANDS.items()),
            *_prompts(),
        ]
    except OSError as error:
        raise ConfigError(f"{error.filename} is missing; mend with: {_PACKAGES}") from error
    return {recorded.name: recorded for recorded in found}


def _sphinx(name: str, words: Path) -> list[Recorded]:
    """The recordings beside a transcription file of lines such as `<s> ten of clubs </s> (001)`."""
    lines = re.findall(r"<s>\s*(.*?)\s*</s>\s*\((.*)\)", words.read_text())
    # Names of book recordings end in the number of their sentence.
    return [Recorded(f"{name}/{file.rpartition('-')[2]}", words.parent / f"{file}.wav", text) for text, file in lines]


def _prompts() -> list[Recorded]:
    """The prompts of whole sentences; bracketed texts describe sounds."""
    found = []
    with gzip.open(_PROMPT_WORDS, "rt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, colon, text = line.partition(":")
            path = _PROMPTS / f"{name.strip()}.wav"
            if colon and not line.startswith(";") and not set("[(") & set(text) and path.is_file():
                found.append(Recorded(f"prompt/{name.strip()}", path, text.strip()))
    return found
