"""Names of people: what follows "my name is", "je m'appelle", "Mr" or a greeting; and what is spelled out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.privacy.spans import Kind, Span

_PARTICLE: Final = r"(?:(?:van|von|der|den|de|da|di|du|del|della|la|le|el|al|bin|ben|ibn|o|mc|mac|st)[ '’])"
_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ][\w'’]*(?:-[A-ZÀ-ÖØ-Þ]?[\w'’]+)*"
_CAPITALS: Final = rf"(?:{_CAPITAL}\.? )?(?:{_CAPITAL} )?{_PARTICLE}*{_CAPITAL}"
# What follows these words is a name, whatever its letters.
_ANY: Final = re.compile(
    r"\b(?:(?:my|his|her|whose|the|their|first|last|family|full|middle|maiden) names?(?: is|'s|’s|:)?|named"
    r"|surname(?: is|'s)?|first name(?: is)?|last name(?: is)?|i am called|i'm called"
    r"|under the name(?: of)?|in the name of"
    r"|je m['’ ]appelle|s['’ ]appelle|mon nom(?: de famille)?(?: c['’]est| est)?|mon pr[ée]nom(?: c['’]est| est)?"
    r"|son nom est|au nom de|nom de famille|me nomme)(?: is| est|:|,)? "
    r"(?:spelled |that's |uh,? |um,? |euh,? )?",
    re.IGNORECASE,
)
_TITLE: Final = re.compile(
    r"\b(?:(?:mr|mrs|ms|mme|mlle|dr|prof)\.?|miss|mister|doctor|professor|monsieur|madame|mademoiselle|docteur"
    r"|ma[iî]tre) ",
    re.IGNORECASE,
)
# Names follow these words now and then: only what has a capital is one.
_PERHAPS: Final = re.compile(
    r"\b(?:this is|it is|it's|i am|i'm|ici|je suis|c['’]est|moi c['’]est|call me|speaking with"
    r"|speak (?:to|with)|talk to|spoke (?:to|with)"
    r"|thank you|thanks|hello|hi|dear|welcome|sorry|merci|bonjour|bonsoir|parler (?:à|a|avec)"
    r"|my (?:wife|husband|son|daughter|mother|father|brother|sister|partner|boss|colleague|friend)"
    r"|m(?:a femme|on mari|on fils|a fille|a mère|on père|on frère|a sœur|on collègue|on ami))(?: is| est)?,? ",
    re.IGNORECASE,
)
_BEHIND: Final = re.compile(
    rf"(?<![\w'’])({_CAPITALS})(?=,? (?:speaking|here|calling|on the (?:line|phone)|à l['’]appareil|au téléphone)\b)"
)
_FULL: Final = re.compile(_CAPITALS)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SPELLED: Final = re.compile(r"(?<![\w'’])(?:[^\W\d_][\s.,-]+){2,}[^\W\d_](?![\w'’])")
_NAMES_AT_MOST: Final = 3

_NOT_NAMES: Final = """
    i a an and or but the is it s that this so no not yes yeah please from calling with about on at in for to my
    your of speaking here actually just now ok okay bye goodbye good very much all again sorry sir madam everyone
    there welcome we you he she they what when where who how can could may will would do does did are was were have
    has monday tuesday wednesday thursday friday saturday sunday january february march april june july august
    september october november december english french spanish german italian portuguese american british european
    god internet et ou mais le la les un une des je tu il elle nous vous ils c est ce ça oui non bien de du au aux
    pour par sur avec moi ici là bonjour bonsoir merci beaucoup monsieur madame mademoiselle à appareil s'il si qui
    que quoi comment quand lundi mardi mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin
    juillet août septembre octobre novembre décembre anglais français alors donc voilà bon d'accord désolé en retard
    spelled spelt s'écrit
"""
_NO_NAME: Final = frozenset(_NOT_NAMES.split())
_IN_NAMES: Final = frozenset({"de", "du", "la", "le"})


def find_names(text: str) -> Iterator[Span]:
    """Every name in *text* that is introduced as one."""
    yield from (Span(*match.span(), Kind.NAME) for match in _SPELLED.finditer(text))
    for cue in _ANY.finditer(text):
        yield from _following(text, cue.end(), capitals=False)
    for pattern in (_TITLE, _PERHAPS):
        for cue in pattern.finditer(text):
            yield from _following(text, cue.end(), capitals=True)
    for match in _BEHIND.finditer(text):
        yield from _following(text, match.start(), capitals=True)


def _following(text: str, start: int, *, capitals: bool) -> Iterator[Span]:
    """The name that begins at *start*, its title left out, if one does."""
    title = _TITLE.match(text, start)
    begin = title.end() if title is not None else start
    full = _FULL.match(text, begin)
    if full is not None and (kept := _kept(text, full.start(), full.end())):
        yield Span(begin, kept, Kind.NAME)
    elif not capitals and full is None:
        words = _WORD.finditer(text, begin)
        end, place = begin, begin
        for _, word in zip(range(_NAMES_AT_MOST), words, strict=False):
            if text[place : word.start()].strip() or _is_none(word[0]):
                break
            end = place = word.end()
        if end > begin:
            yield Span(begin, end, Kind.NAME)


def _kept(text: str, start: int, end: int) -> int:
    """Where the name in text[start:end] ends before the first word that is none; 0 when that is the first."""
    kept = 0
    for word in _WORD.finditer(text, start, end):
        if _is_none(word[0]) and word[0].lower() not in _IN_NAMES:
            break
        kept = word.end()
    return kept


def _is_none(word: str) -> bool:
    """Whether *word* is none of a name, such as I'm and Monday's."""
    return re.split("['’]", word.lower())[0] in _NO_NAME
