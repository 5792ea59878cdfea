"""What a few words said over the agent are: assent, a call for the turn, what recognisers invent, or anything else."""

from __future__ import annotations

import re
from enum import Enum, auto


class Words(Enum):
    """What the text of a sound says about it. INVENTED: what a recogniser writes into noise."""

    NONE = auto()
    ASSENT = auto()
    COMMAND = auto()
    INVENTED = auto()
    OTHER = auto()


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
    "mm hm", "um hum", "uhm", "umhum", "mhmm", "wow", "i see it", "go on", "go ahead",
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


def words_in(text: str) -> Words:
    """What *text* is, in English or French: "Mm-hmm. Yeah, okay!" is assent, and so is laughter; "yeah but" is not.

    An empty text, and a note such as "(coughs)" or "[laughter]", holds no words.
    """
    plain = _plain(text)
    if not plain:
        return Words.NONE
    if _ALL_ASSENT.fullmatch(plain):
        return Words.ASSENT
    if _BEGINS_COMMAND.match(plain):
        return Words.COMMAND
    return Words.INVENTED if _ALL_INVENTED.fullmatch(plain) else Words.OTHER


def _plain(text: str) -> str:
    """*text* in lower case, of letters alone: "C'est ça, mm-hmm!" is "c est ça mm hmm", "that's" is "thats"."""
    spoken = _ANNOTATION.sub(" ", text.lower().replace("\u2019", "'"))
    joined = re.sub(r"(?<=\w)'(?=(?:s|m|re|ve|ll|t|d)\b)", "", spoken)
    return " ".join(re.sub(r"[\W_]+", " ", joined).split())
