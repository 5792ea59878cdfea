"""Strings of digits and letters that name something: order numbers, postal codes, flights, extensions."""

from __future__ import annotations

import re
from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import Rule, rule

_CODE: Final = (
    r"(?:[A-Z]{1,5}[-/ ]?)?[0-9][A-Z0-9]*(?:[-/. ][A-Z0-9]*[0-9][A-Z0-9]*)*(?![^\W_])"
    r"(?!\s?(?:[%€$£°¢]|euros?\b|dollars?\b|pounds?\b|USD\b|EUR\b|[kKhg]\b))"
)
# A postal code of Britain or Canada.
_POSTCODE: Final = r"\b(?:[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])\b"
_MIXED: Final = (
    r"(?<![^\W_])(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])(?:[A-Z0-9]+(?:-[A-Z0-9]+)*|[A-Za-z0-9]+)(?![^\W_])(?!-[a-z])"
)
_HYPHENATED: Final = r"(?<![^\W_])(?:[A-Z]+-)+[0-9][A-Z0-9]*(?:-[A-Z0-9]+)*(?![^\W_])"
_RUN: Final = re.compile(r"[0-9]+|[^\W\d_]+|[^\w\s]+|\s+")
# Longer runs of letters are words, even in capitals.
_LONGEST_SPELLING: Final = 4


def announced_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Codes in any shape, behind a word or a sign that announces one."""

    def announced(match: Match[str]) -> str:
        return match["cue"] + read_code(match["code"], lexicon)

    def numbered(match: Match[str]) -> str:
        lead = "" if re.search(rf"\b{lexicon.number}\s*$", match.string[: match.start()]) else f"{lexicon.number} "
        return lead + read_code(match[1], lexicon, shortest=4)

    def dialled(match: Match[str]) -> str:
        return match["cue"] + lexicon.figures.numerals.digits(match["code"])

    return (
        rule(rf"(?<![^\W_])(?P<cue>{lexicon.code_cues})#?(?P<code>{_CODE})", announced),
        rule(rf"(?<![^\W_])(?P<cue>{lexicon.dial_cues})(?P<code>[0-9]{{3,6}})(?![0-9]|[ .,/-][0-9])", dialled),
        rule(rf"(?<![^\W_])#\s?({_CODE})", numbered),
    )


def mixed_rules(lexicon: Lexicon) -> tuple[Rule, ...]:
    """What mixes letters and digits, after everything that does so with a meaning ("5km", "2nd") was read."""

    def mixed(match: Match[str]) -> str:
        return read_code(match[0], lexicon)

    return (rule(_POSTCODE, mixed), rule(_HYPHENATED, mixed), rule(_MIXED, mixed))


def read_code(code: str, lexicon: Lexicon, *, shortest: int = 3) -> str:
    """*code* letter by letter and digit by digit, with a pause where it has a separator.

    shortest: a row of fewer digits is a number: "B twelve".
    """
    runs = _RUN.findall(code)
    numerals = lexicon.figures.numerals
    interleaved = sum(run.isdigit() for run in runs) > 1
    words = ""
    for index, run in enumerate(runs):
        if not run[0].isalnum():
            words += ", " if index not in {0, len(runs) - 1} and not _is_prefix(runs, index) else " "
            continue
        if run.isdigit():
            said = lexicon.figures.whole(run) if len(run) < shortest and not interleaved else numerals.digits(run)
        elif run.isupper() and (interleaved or len(run) <= _LONGEST_SPELLING):
            said = _spelled(run, lexicon, follows=index + 1 < len(runs) and runs[index + 1].isalnum())
        else:
            said = run
        glue = "" if not words or words.endswith((" ", "-")) else " "
        words += glue + said
    return words.strip()


def _is_prefix(runs: list[str], index: int) -> bool:
    """Whether what stands before the separator at *index* is a name: the 19 of COVID-19 needs no pause."""
    return index == 1 and runs[0].isalpha() and sum(run.isdigit() for run in runs) == 1 and len(runs[2]) <= 2


def _spelled(letters: str, lexicon: Lexicon, *, follows: bool) -> str:
    """Letters one by one. A hyphen keeps a voice from taking the letter A for the article."""
    said = " ".join(letters)
    if lexicon.letter_a == "A-":
        said = said.replace("A ", "A-")
        if said.endswith("A") and follows:
            said += "-"
    return said
