"""Yes or no, in the words of people who are asked for their consent. What is not clearly a yes is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

# What holds a word of refusal and agrees all the same, or the other way round; taken out first.
_AGREEING: Final[Mapping[str, str]] = {
    "en": (
        r"no (?:problem|worries|objections?)|not a problem|why not|(?:i )?(?:don't|do not) mind|"
        r"(?:i )?(?:don't|do not) see why not|(?:i have )?nothing against (?:it|that)"
    ),
    "fr": (
        r"(?:il n'y a )?(?:pas|aucun) (?:de )?(?:problème|souci)s?|pourquoi pas|pas d'(?:objection|inconvénient)|"
        r"(?:je n'ai )?rien contre|ça ne me (?:dérange|gêne) pas|ça me va"
    ),
}
_REFUSING: Final[Mapping[str, str]] = {
    "en": (
        r"no|nope|nah|not|don't|dont|do not|doesn't|won't|can't|cannot|rather not|never|refuse|decline|disagree|"
        r"against|without|stop"
    ),
    "fr": r"non|pas|jamais|refuse|refus|contre|sans|arrêtez|hors de question",
}
_ASSENTING: Final[Mapping[str, str]] = {
    "en": (
        r"yes|yeah|yep|yup|yea|sure|ok|okay|alright|all right|of course|certainly|absolutely|definitely|fine|"
        r"i agree|i consent|agreed|go ahead|please do|you may|you can|by all means|correct"
    ),
    "fr": (
        r"oui|ouais|d'accord|ok|okay|bien sûr|certainement|absolument|tout à fait|volontiers|entendu|j'accepte|"
        r"je suis d'accord|allez-y|vous pouvez|faites|ça marche|parfait"
    ),
}


def agreed(text: str, language: str) -> bool | None:
    """Whether *text* agrees, in *language* (BCP 47); None when it says neither, or both."""
    known = language.split("-", maxsplit=1)[0].lower()
    spoken = text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    # A caller may well answer in English.
    tongues = [known, "en"] if known in _ASSENTING and known != "en" else ["en"]
    for tongue in tongues:
        rest, idioms = re.subn(_words(_AGREEING[tongue]), " ", spoken)
        refuses = re.search(_words(_REFUSING[tongue]), rest) is not None
        assents = idioms > 0 or re.search(_words(_ASSENTING[tongue]), rest) is not None
        if refuses != assents:
            return assents
        if refuses:
            return None
    return None


def _words(pattern: str) -> str:
    return rf"(?<![\w'])(?:{pattern})(?![\w'])"
