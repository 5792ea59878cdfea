"""E-mail addresses and web addresses, as they are read out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import Rule, rule

_LABELS: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+"
# What is commonly given on the phone. Without a list, "tonight.Please" would be an address.
_ENDINGS: Final = (
    "com|org|net|info|biz|edu|gov|dev|app|shop|health|care|clinic|dental|fr|uk|us|ca|eu|be|ch|lu|de|io|co|ai"
)
_EMAIL: Final = rf"(?<![\w.+%-])(?:mailto:)?([A-Za-z0-9_](?:[\w.+%-]*[\w+-])?)@({_LABELS}[A-Za-z]{{2,}})(?![\w@])"
_URL: Final = r"(?<![\w@])(?:https?://(?:www\.)?|www\.)([A-Za-z0-9][^\s<>\"'()]*[^\s<>\"'().,;:!?…])"
_DOMAIN: Final = rf"(?<![\w@./-])((?:{_LABELS})(?:{_ENDINGS})(?:/[\w~%./?=&#-]*[\w/])?)(?![\w@])(?!\.[A-Za-z0-9])"
_PIECE: Final = re.compile(r"[^\W\d_]+|[0-9]|.", re.DOTALL)
_VOWEL: Final = re.compile(r"[aeiouyàâéèêëîïôöùûü]", re.IGNORECASE)


def contact_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """E-mail addresses first: their domains are no web addresses."""

    def email(match: Match[str]) -> str:
        return f"{_read(match[1], lexicon)} {lexicon.in_addresses['@']} {_read(match[2], lexicon, domain=True)}"

    def web(match: Match[str]) -> str:
        host, slash, path = match[1].partition("/")
        return " ".join(filter(None, [_read(host, lexicon, domain=True), _read((slash + path).rstrip("/"), lexicon)]))

    return (
        rule(_EMAIL, email, digits=False),
        rule(_URL, web, digits=False, ignore_case=True),
        rule(_DOMAIN, web, digits=False),
    )


def _read(address: str, lexicon: Lexicon, *, domain: bool = False) -> str:
    return " ".join(_words(address, lexicon, country=domain))


def _words(address: str, lexicon: Lexicon, *, country: bool) -> Iterator[str]:
    last = address.rpartition(".")[2] if country else ""
    pieces = _PIECE.findall(address)
    for index, piece in enumerate(pieces):
        if piece in "0123456789":
            yield lexicon.figures.numerals.cardinal(int(piece))
        elif not piece.isalpha():
            if word := lexicon.in_addresses.get(piece, ""):
                yield word
        elif (index == len(pieces) - 1 and piece == last and len(last) == 2) or (
            len(piece) <= 4 and not _VOWEL.search(piece)
        ):
            yield " ".join(piece)  # no word: letter by letter
        else:
            yield piece
