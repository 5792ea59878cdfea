"""What callers say over an agent, and which part of the data each phrase belongs to.

A phrase belongs to one split alone: what is measured was never among what was learned or tuned on. The phrases of the
held-out split were chosen before anything was trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "tune", "held-out"]
Label: TypeAlias = Literal["interruption", "back-channel", "noise"]
LABELS: tuple[Label, ...] = ("interruption", "back-channel", "noise")
SPLITS: tuple[Split, ...] = ("train", "tune", "held-out")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words to be spoken. language: "en" or "fr"; codes: its phonemes as espeak-ng writes them, where it would
    spell the text; else ""."""

    text: str
    language: str
    label: Label
    split: Split
    codes: str = ""


# fmt: off
_TABLE: dict[tuple[Label, Split, str], tuple[str, ...]] = {
    ("back-channel", "train", "en"): (
        "uh-huh", "mm-hmm", "mhm", "yeah", "yep", "right", "okay", "sure", "yes", "oh", "ah", "hmm", "all right",
        "yeah yeah", "oh okay", "okay okay", "right right", "good", "ah okay",
    ),
    ("back-channel", "train", "fr"): (
        "oui", "d'accord", "ouais", "ok", "hum hum", "voilà", "ah oui", "oui oui", "très bien",
    ),
    ("back-channel", "tune", "en"): ("I know", "yup", "cool", "uh-huh yeah", "mmm"),
    ("back-channel", "tune", "fr"): ("ah bon", "ça marche"),
    ("back-channel", "held-out", "en"): (
        "I see", "got it", "of course", "oh right", "fine", "great", "mm", "okay yeah", "oh yeah", "gotcha",
    ),
    ("back-channel", "held-out", "fr"): ("bien sûr", "je vois", "entendu", "exactement", "ah d'accord"),
    ("interruption", "train", "en"): (
        "stop", "wait", "no", "excuse me", "actually", "what?", "can I", "hello?", "no no no", "wait a minute",
        "please stop", "I have a question", "that's not what I asked", "can you repeat that",
        "I want to speak to someone", "how much is it", "not that one", "my name is Anna", "tomorrow morning",
        "yes but", "okay but listen to me", "yeah but not today", "could you", "help", "cancel it", "the other one",
        "I don't want that", "is it open on Sunday", "let me think", "one moment",
    ),
    ("interruption", "train", "fr"): (
        "arrêtez", "attendez", "non", "pardon", "en fait", "je voudrais", "c'est combien", "oui mais", "excusez-moi",
        "pas celui-là", "quoi", "non non non",
    ),
    ("interruption", "tune", "en"): ("hang on", "sorry", "but", "why", "I need some help", "never mind"),
    ("interruption", "tune", "fr"): ("une minute", "comment", "je n'ai pas fini"),
    ("interruption", "held-out", "en"): (
        "hold on", "listen", "hey", "one second", "that's wrong", "I'm not done", "when do you open",
        "can you transfer me", "what do you mean", "enough", "who is this", "right but what about the price",
        "go back", "quiet please", "it's for two people", "I already paid",
    ),
    ("interruption", "held-out", "fr"): (
        "un instant", "attends", "je ne comprends pas", "j'ai une question", "c'est faux",
    ),
}
# fmt: on

_CODES = {
    "mm-hmm": "mh'm",
    "mhm": "mh'm",
    "mm": "'m:",
    "mmm": "'m::",
    "hmm": "h'm:",
    "hum hum": "h'mh'm",
}


def phrases() -> Iterator[Phrase]:
    """Every phrase, in a fixed order."""
    for (label, split, language), texts in _TABLE.items():
        for text in texts:
            yield Phrase(text, language, label, split, _CODES.get(text, ""))
