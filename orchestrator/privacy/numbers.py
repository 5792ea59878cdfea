"""Numbers of cards, accounts, identities and telephones, and other digits that are somebody's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from orchestrator.privacy.checksums import is_card, is_iban, is_nir
from orchestrator.privacy.digit_runs import Run, digit_runs
from orchestrator.privacy.spans import Kind, Span

# As many digits as no quantity, year or time of day has; fewer are masked where they are said one by one, where
# somebody has just said what they are, or where nothing else is said.
_MANY, _ONE_BY_ONE, _ASKED_FOR = 6, 4, 3
_IBAN: Final = re.compile(r"\b[A-Za-z]{2}[ -]?\d{2}(?:[ -]?[A-Za-z0-9]){11,38}")
_IBAN_END: Final = re.compile(r"[A-Za-z0-9](?![A-Za-z0-9])")
_COUNTRY: Final = re.compile(r"(?<!\w)([A-Za-z])[\s.-]*([A-Za-z])[\s.-]*$")
# Source: HMRC, National Insurance Manual NIM39110; Q Q is its own example.
_NINO: Final = re.compile(r"\b[A-CEGHJ-PQR-TW-Z][ -]?[A-CEGHJ-NPQR-TW-Z](?:[ -]?\d{2}){3}[ -]?[A-D]\b", re.IGNORECASE)
_SSN: Final = re.compile(r"\b\d{3}[ -]\d{2}[ -]\d{4}\b")
_NAMED: Final = re.compile(
    r"\b(?:pin|code|cvv|cvc|ends? in|ending in|digits|number|reference|ref|num[ée]ro|n°|cryptogramme|chiffres"
    r"|r[ée]f[ée]rence(?: client)?|se termine par)\b[^\d]{0,12}$",
    re.IGNORECASE,
)
_IDENTITY: Final = re.compile(r"\b(?:social security|national insurance|s[ée]curit[ée] sociale|ssn)\b", re.IGNORECASE)
_MONEY_BEFORE: Final = re.compile(r"[$€£¥]\s?$")
_AMOUNT_AFTER: Final = re.compile(
    r"\s?(?:[€$£¥%°]|(?:euros?|dollars?|pounds?|bucks|cents?|percent|pour cent|people|personnes|times|fois|hundred"
    r"|thousand|million|billion|mille|cents?|millions?|milliards?|km|kilom|m[èe]tres?|miles|minutes?|hours?|heures?|days|jours"
    r"|months|mois|years|ans|units|pieces)\b)",
    re.IGNORECASE,
)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[ ,.\u202f]\d{3})*(?:[.,]\d{1,2})?")
_ONLY_WORDS_BESIDES: Final = re.compile(
    r"(?:[\W_]|\b(?:yes|yeah|ok|okay|so|it s|it|s|is|that|the|uh|um|oui|alors|donc|euh|c|est|le|la|voilà)\b)*",
    re.IGNORECASE,
)


def find_numbers(text: str) -> Iterator[Span]:
    """Every number in *text* that is more than a quantity, a date or a time."""
    for match in _IBAN.finditer(text):
        end = _iban_end(match[0])
        if end:
            yield Span(match.start(), match.start() + end, Kind.IBAN)
    for pattern in (_NINO, _SSN):
        yield from (Span(*match.span(), Kind.NATIONAL_ID) for match in pattern.finditer(text))
    for run in digit_runs(text):
        if _is_somebodys(text, run):
            yield _named(text, run)


def _iban_end(candidate: str) -> int:
    """Where the longest IBAN at the beginning of *candidate* ends; 0 when there is none."""
    for match in reversed(list(_IBAN_END.finditer(candidate))):
        if is_iban(re.sub(r"[ -]", "", candidate[: match.end()])):
            return match.end()
    return 0


def _is_somebodys(text: str, run: Run) -> bool:
    digits, parts = run.digits, run.parts
    if len(digits) < _ASKED_FOR or _is_amount(text, run) or _is_years(run):
        return False
    if len(digits) >= _MANY or (len(parts) >= _ONE_BY_ONE and all(len(part) == 1 for part in parts)):
        return True
    if _NAMED.search(text, 0, run.start):
        return True
    alone = _ONLY_WORDS_BESIDES.fullmatch(text[: run.start]) and _ONLY_WORDS_BESIDES.fullmatch(text[run.end :])
    return alone is not None and (len(parts) > 1 or len(digits) >= _ONE_BY_ONE)


def _is_amount(text: str, run: Run) -> bool:
    said = text[run.start : run.end]
    told = _MONEY_BEFORE.search(text, 0, run.start) or _AMOUNT_AFTER.match(text, run.end)
    return told is not None and (len(run.parts) == 1 or _THOUSANDS.fullmatch(said) is not None or not run.written)


def _is_years(run: Run) -> bool:
    return run.written and all(len(part) == 4 and part[:2] in {"19", "20"} for part in run.parts) and len(run.parts) < 4


def _named(text: str, run: Run) -> Span:
    """Where the number of *run* is, with what belongs to it, and what it is."""
    digits = run.digits
    country = _COUNTRY.search(text, 0, run.start)
    if country is not None and is_iban(country[1] + country[2] + digits):
        return Span(country.start(), run.end, Kind.IBAN)
    start = re.compile(r"(?:\bplus\s|[+(]*)$", re.IGNORECASE).search(text, 0, run.start)
    begin = start.start() if start is not None else run.start
    if is_card(digits):
        kind = Kind.CARD
    elif is_nir(digits) or (len(digits) == 9 and _IDENTITY.search(text)):
        kind = Kind.NATIONAL_ID
    elif 8 <= len(digits) <= 15 and (begin < run.start or digits[0] == "0" or len(digits) in {10, 11}):
        kind = Kind.PHONE
    else:
        kind = Kind.NUMBER
    return Span(begin, run.end, kind)
