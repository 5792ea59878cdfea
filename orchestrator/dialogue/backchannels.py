"""Did a caller who made a sound over the agent want the turn? Weighs how it sounded with what was recognised in it.

The words decide where a classifier of sounds cannot: "right" and "why" differ in nothing else. The sound decides where
a recogniser cannot: given a cough or a hum, Whisper writes "you" or "Thank you." into it.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Final

WANTED: Final = 0.3
"""A sound of at least this probability was an interruption; under it, the sentence is resumed where it was cut.

It is under a half because errors weigh unlike: who is not heard has to say it again, over an agent that talks on.
"""

CERTAIN: Final = 0.4
"""Words of which the recogniser is less certain than this (its mean probability of a token) say nothing.

Of a voice that is far away, of a laugh or in another language it writes sentences that nobody said; half of those are
under 0.4.
"""


class Words(Enum):
    """What the text of a sound says about it. The value: by how much it moves the log-odds of an interruption.

    Set by hand: a word that can only be assent, or only a call for the turn, outweighs nearly any sound; the text of a
    short sound is wrong too often to count for more.
    """

    UNKNOWN = 0.0  # no recogniser was asked, or it wrote what it writes into noise
    NONE = -2.0  # it was asked, and found nothing
    ASSENT = -4.0
    SOME = 2.0
    COMMAND = 5.0
    SENTENCE = 3.0


# fmt: off
_ASSENT = (
    # English
    "yeah", "yea", "yeh", "ya", "yah", "yep", "yup", "yes", "aye", "ok", "okay", "k", "kay", "mkay", "right", "sure",
    "fine", "good", "great", "cool", "nice", "perfect", "wonderful", "lovely", "super", "alright", "all right",
    "got it", "got you", "gotcha", "got ya", "i see", "i know", "i understand", "understood", "of course", "certainly",
    "absolutely", "exactly", "indeed", "definitely", "totally", "correct", "true", "thats right", "thats true",
    "thats good", "thats great", "thats fine", "sounds good", "very good", "very well", "fair enough", "makes sense",
    "no problem", "no worries", "really", "oh", "ooh", "o", "ah", "aha", "ahh", "aah", "uh", "uhh", "um", "eh", "er",
    "huh", "uh huh", "uhuh", "uhhuh", "mm", "mmm", "mmmm", "hm", "hmm", "hmmm", "mhm", "mmhm", "mmhmm", "mm hmm",
    "mm hm",     "um hum", "uhm", "umhum", "mhmm", "wow", "i see it", "go on", "go ahead",
    # French
    "oui", "ouais", "ouaip", "mouais", "d accord", "dac", "daccord", "bien", "bien sûr", "bien sur", "très bien",
    "tres bien", "voilà", "voila", "exactement", "exact", "tout à fait", "absolument", "entendu", "compris",
    "je vois", "je comprends", "je sais", "c est ça", "cest ça", "ça marche", "ça va", "c est bon", "c est vrai",
    "parfait", "super", "génial", "effectivement", "bon", "ah bon", "hein", "hum", "hum hum", "euh", "ben oui",
    "mais oui", "si", "vas y", "allez y", "ça roule",
)
_LAUGHTER = r"(?:[hb]*(?:ha|he|hi|ho|ah)+h?)"
_COMMANDS = (
    "stop", "wait", "hold on", "hang on", "excuse me", "one moment", "one second", "one sec", "just a moment",
    "just a second", "just a minute", "wait a minute", "wait a second", "listen", "hey", "hello", "no", "nope", "nah",
    "actually", "what", "pardon", "pardon me", "sorry", "but", "quiet", "shut up", "enough", "help", "cancel",
    "arrête", "arrêtez", "attends", "attendez", "une minute", "une seconde", "un instant", "un moment", "non", "écoute",
    "écoutez", "pardon", "excusez moi", "excuse moi", "quoi", "comment", "mais", "allô", "allo", "assez", "en fait",
    "silence", "minute", "stop stop",
)
# What Whisper writes into coughs, hums and hiss: the ends of the subtitles that it was trained on.
_INVENTED = (
    "you", "thank you", "thanks", "thank you very much", "thank you so much", "thanks for watching", "bye", "bye bye",
    "the", "i", "a", "so", "and", "merci", "sous titrage st 501", "sous titres réalisés par la communauté d amara org",
)
# fmt: on


def _pattern(phrases: tuple[str, ...], *more: str) -> re.Pattern[str]:
    alternatives = "|".join([*map(re.escape, sorted(set(phrases), key=len, reverse=True)), *more])
    return re.compile(rf"(?:(?:{alternatives})(?: |$))+")


_ALL_ASSENT = _pattern(_ASSENT, _LAUGHTER)
_ALL_INVENTED = _pattern(_INVENTED)
_BEGINS_COMMAND = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(_COMMANDS, key=len, reverse=True)))})(?: |$)")
_ANNOTATION = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*|[♪♫]")


def is_backchannel(text: str) -> bool:
    """Whether *text* is nothing but assent or laughter, in English or French: "Mm-hmm. Yeah, okay!" but not "yeah but".

    An empty text, and a note such as "(coughs)" or "[laughter]", is not: it holds no words.
    """
    return bool(_ALL_ASSENT.fullmatch(_plain(text)))


def words_in(text: str | None, confidence: float | None = None) -> Words:
    """What *text* is. None: the recogniser was not asked.

    confidence: the recogniser's, in [0, 1]; None when it does not tell.
    """
    if text is None:
        return Words.UNKNOWN
    plain = _plain(text)
    if not plain:
        return Words.NONE
    if _ALL_ASSENT.fullmatch(plain):
        return Words.ASSENT
    if _BEGINS_COMMAND.match(plain):
        return Words.COMMAND
    if _ALL_INVENTED.fullmatch(plain) or (confidence is not None and confidence < CERTAIN):
        return Words.UNKNOWN
    return Words.SENTENCE if len(plain.split()) >= 3 else Words.SOME


def wants_turn(
    probability: float, text: str | None = None, *, confidence: float | None = None, asked: bool = False
) -> float:
    """Probability in [0, 1] that the caller wants the turn.

    probability: what Interjections.interruption() says of the sound; text: what the recogniser read in it, None when it
    was not asked; confidence: as in words_in(). asked: the agent had begun a question, to which assent is an answer, so
    that words count alike.
    Raises ValueError for a probability outside [0, 1].
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"a probability is between 0 and 1, not {probability}")
    words = words_in(text, confidence)
    if asked and words is Words.ASSENT:
        words = Words.COMMAND
    certain = min(max(probability, 1e-4), 1.0 - 1e-4)
    return 1.0 / (1.0 + math.exp(-(math.log(certain / (1.0 - certain)) + words.value)))


def _plain(text: str) -> str:
    """*text* in lower case, of letters alone: "C'est ça, mm-hmm!" is "c est ça mm hmm", "that's" is "thats"."""
    spoken = _ANNOTATION.sub(" ", text.lower().replace("\u2019", "'"))
    joined = re.sub(r"(?<=\w)'(?=(?:s|m|re|ve|ll|t|d)\b)", "", spoken)
    return " ".join(re.sub(r"[\W_]+", " ", joined).split())
