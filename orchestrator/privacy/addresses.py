"""Postal addresses: a number and a street, a post code, and what follows "I live at" or "j'habite au"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.privacy.digit_runs import SPOKEN
from orchestrator.privacy.spans import Kind, Span

_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ][\w'’-]*"
_FIGURE: Final = "|".join(
    sorted({part for words in SPOKEN for part in words.split()} - {"o", "oh", "et", "un", "une", "one"}, key=len)[::-1]
)
_NUMBER: Final = rf"(?:\d+[a-zA-Z]?|(?i:(?:{_FIGURE})(?:[ -](?:{_FIGURE})){{0,3}}))"
_STREET: Final = (
    r"(?i:street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|place|square|way|close|crescent|terrace|gardens"
    r"|highway|parkway|row|mews|hill|grove|walk)\b\.?"
)
_STREETS: Final = re.compile(rf"\b{_STREET}")
_UNIT: Final = (
    r"(?i:(?:flat|apartment|apt|unit|suite|appartement|bâtiment)\.? (?:\d+[a-z]?|[a-z]|one|two|three|four|five),? )"
)
_TOWN: Final = rf"(?:,? (?:[A-Z]{{2}} )?(?:\d{{5}} )?{_CAPITAL}(?: {_CAPITAL}){{0,2}})"
_UK_CODE: Final = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
_AFTER: Final = rf"(?:,{_TOWN}){{0,2}}(?:,? {_UK_CODE})?(?:,? (?:[A-Z]{{2}} )?\d{{5}}\b)?".replace(",(?:,?", "(?:,")
_ENGLISH: Final = re.compile(
    rf"(?:{_UNIT})?\b{_NUMBER} (?:(?:[A-Z][\w'’-]*|the|of|and) ){{1,4}}{_STREET}{_AFTER}|(?:{_UNIT})?\b{_NUMBER} "
    rf"(?:[a-z]+ ){{1,2}}(?:street|road|avenue|lane|drive|boulevard|crescent|terrace)\b"
)
_WAY: Final = r"(?i:rue|avenue|boulevard|allée|allee|chemin|impasse|place|quai|cours|route|square|passage|faubourg)"
_WAYS: Final = re.compile(rf"\b{_WAY}\b")
_FRENCH: Final = re.compile(
    rf"\b{_NUMBER}(?:,? (?:bis|ter))?,? {_WAY} (?:(?:de|du|des|la|le|les|et|aux?|[dl]['’]|saint|sainte) ?){{0,3}}"
    rf"[\w'’-]+(?: (?:(?:de|du|des|la|le|les) ){{0,2}}{_CAPITAL}){{0,3}}"
    rf"(?:,? (?:à )?(?:\d{{5}})(?: {_CAPITAL}(?: {_CAPITAL})*)?|,? (?:à )?{_CAPITAL})?"
)
_CODES: Final = re.compile(rf"\b{_UK_CODE}|\b\d{{5}} {_CAPITAL}(?:-{_CAPITAL})*")
_CUE: Final = re.compile(
    r"\b(?:i live (?:at|on)|we live (?:at|on)|my address is|the address is|address:|j['’]habite (?:au|à|rue|dans la)"
    r"|nous habitons (?:au|à)|mon adresse(?: postale)?,? (?:est|c['’]est)|l['’]adresse est) (?:le |la |the )?",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"[^.?!;]{1,90}")
_HOLDS_PLACE: Final = re.compile(rf"\d|{_STREET}|{_WAY}|\b(?:{_FIGURE})\b", re.IGNORECASE)
_E_MAIL: Final = re.compile(r"@|\barobase?\b|\bdot com\b|\bpoint (?:com|fr)\b", re.IGNORECASE)
_OTHER_MATTER: Final = re.compile(
    r" (?:and (?:my|i|the)|et (?:mon|ma|je|le|la)|but|mais|because|parce)\b", re.IGNORECASE
)


def find_addresses(text: str) -> Iterator[Span]:
    """Every postal address in *text*."""
    patterns = [_CODES, *([_ENGLISH] if _STREETS.search(text) else []), *([_FRENCH] if _WAYS.search(text) else [])]
    for pattern in patterns:
        yield from (Span(*match.span(), Kind.ADDRESS) for match in pattern.finditer(text))
    for cue in _CUE.finditer(text):
        told = _SENTENCE.match(text, cue.end())
        if told is None or not _HOLDS_PLACE.search(told[0]) or _E_MAIL.search(told[0]):
            continue
        other = _OTHER_MATTER.search(told[0])
        end = told.start() + other.start() if other is not None else told.end()
        yield Span(told.start(), end, Kind.ADDRESS)
