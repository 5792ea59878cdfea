"""What callers say over an agent, and which part of the data each phrase belongs to.

A phrase belongs to one split alone: what is measured was never among what was learned or tuned on. The phrases of the
held-out split were chosen before anything was trained; those of an earlier one that has been looked at are for tuning.
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
    spell the text; else "". common: every voice says it, not only those that draw it (see voices.py)."""

    text: str
    language: str
    label: Label
    split: Split
    codes: str = ""
    common: bool = True


# fmt: off
_TABLE: dict[tuple[Label, Split, str], tuple[str, ...]] = {
    ("back-channel", "train", "en"): (
        "uh-huh", "mm-hmm", "mhm", "yeah", "yep", "right", "okay", "sure", "yes", "oh", "ah", "hmm", "all right",
        "yeah yeah", "oh okay", "okay okay", "right right", "good", "ah okay",
    ),
    ("back-channel", "train", "fr"): (
        "oui", "d'accord", "ouais", "ok", "hum hum", "voilà", "ah oui", "oui oui", "très bien",
    ),
    ("back-channel", "tune", "en"): (
        "I know", "yup", "cool", "uh-huh yeah", "mmm", "oh right", "mm", "okay yeah", "oh yeah", "gotcha",
    ),
    ("back-channel", "tune", "fr"): (
        "ah bon", "ça marche", "bien sûr", "je vois", "entendu", "exactement", "ah d'accord",
    ),
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
    ("interruption", "tune", "en"): (
        "hang on", "sorry", "but", "why", "I need some help", "never mind", "that's wrong", "I'm not done",
        "when do you open", "can you transfer me", "what do you mean", "right but what about the price",
        "quiet please", "it's for two people", "I already paid",
    ),
    ("interruption", "tune", "fr"): (
        "une minute", "comment", "je n'ai pas fini", "un instant", "attends", "je ne comprends pas",
        "j'ai une question", "c'est faux",
    ),
}
_MORE: dict[tuple[Label, Split, str], tuple[str, ...]] = {
    ("back-channel", "train", "en"): (
        "I see", "got it", "of course", "great", "fine", "yes yes", "yeah okay", "yeah sure", "okay sure",
        "alright then", "right okay", "sure sure", "oh good",
        "oh nice", "oh I know", "very good", "that's fine", "that's good", "no problem", "really", "wow", "huh",
        "ooh", "aha", "mm yeah", "hmm okay", "exactly", "true", "uh-huh uh-huh", "mm-hmm mm-hmm", "yes right",
    ),
    ("interruption", "train", "en"): (
        "hold on", "listen", "hey", "one second", "enough", "who is this", "go back", "no stop", "wait wait",
        "no wait", "stop it", "stop talking", "just stop", "no thanks", "not now",
        "sorry can I ask", "sorry what", "actually no", "actually I need a table", "hello are you there",
        "can I speak", "can I ask a question", "could I say something", "I need to change it", "I want to cancel",
        "I would like a refund", "what time is it", "what was the number", "what about Friday", "where are you",
        "when is that", "who are you", "how long does it take", "how do I pay", "why is that", "which one",
        "is that the total", "is there parking", "are you a robot", "do you have a table", "did you get that",
        "say that again", "slow down", "too fast", "too expensive", "I didn't order this", "I can't hear you",
        "I don't understand you", "I meant Tuesday", "you got that wrong", "no I said eight", "not Monday",
        "next week", "at seven", "the blue one", "for four people", "my order number is nine", "it's about my bill",
        "let me speak", "give me a person", "call me back", "okay stop", "yes but when", "right but how",
        "yeah wait a moment", "sure but not today", "mister", "so when", "and then what", "or maybe later",
    ),
    ("back-channel", "held-out", "en"): (
        "oh I see", "I see I see", "okay got it", "got that", "yeah right", "yeah exactly", "yeah yeah yeah",
        "okay great", "okay fine", "okay good", "oh great", "sounds good", "makes sense", "understood", "indeed",
        "absolutely", "perfect", "certainly", "lovely", "good good", "ah right", "ah yes", "ah I see", "oh sure",
        "mm okay", "mm-hmm yeah", "uh-huh okay", "right yeah", "fair enough", "no worries", "that's right", "yep yep",
    ),
    ("back-channel", "held-out", "fr"): ("c'est ça", "parfait", "oui d'accord", "ah je vois", "tout à fait"),
    ("interruption", "held-out", "en"): (
        "hold on a second", "wait a second please", "stop there", "no hold it", "please wait", "pause", "quit it",
        "excuse me please", "pardon me", "sorry to interrupt", "sorry I have to go", "can I just say something",
        "could you speak up", "could you say that again please", "can we skip this", "can I get a human",
        "may I ask something", "actually I need an invoice", "actually make it three", "actually forget it",
        "I need to talk to a manager", "I want my money back", "I'd like to book a room", "I have another question",
        "I lost my card", "I live in Bristol", "I was asking about delivery", "that's not right", "that's not my name",
        "that is too late", "not what I said", "no I don't", "no not that", "nope", "what is it", "what's the address",
        "what does it cost", "where do I sign", "when will it arrive", "why so much", "who told you that",
        "how many are left", "how far is it", "which day", "does it come with breakfast", "is it still available",
        "are you listening", "do you take cards", "have you got my email", "will it rain", "the second one please",
        "on Thursday evening", "half past nine", "twenty three", "double room", "change the date",
        "skip that", "repeat please", "louder please", "you are wrong", "yeah but the date is wrong",
        "okay but who pays", "right but I moved", "sure but how much", "well listen to me", "look",
        "hang on a minute", "just a second", "let me finish", "operator",
    ),
    ("interruption", "held-out", "fr"): (
        "stop s'il vous plaît", "une seconde", "c'est pas ça", "je veux annuler", "quel est le prix", "vous êtes où",
        "non c'est mardi", "d'accord mais quand",
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
    "mm-hmm mm-hmm": "mh'm mh'm",
    "mm-hmm yeah": "mh'm j'E@",
    "mm yeah": "'m: j'E@",
    "mm okay": "'m: oUk'eI",
    "hmm okay": "h'm: oUk'eI",
}


def phrases() -> Iterator[Phrase]:
    """Every phrase, in a fixed order."""
    for table in (_TABLE, _MORE):
        for (label, split, language), texts in table.items():
            for text in texts:
                yield Phrase(text, language, label, split, _CODES.get(text, ""), common=table is _TABLE)
