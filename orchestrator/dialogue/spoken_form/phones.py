"""Phone numbers, in the groups in which people say them. Found and grouped by Google's libphonenumber."""

from __future__ import annotations

import re
from re import Match
from typing import TYPE_CHECKING, Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.rules import Rule, rule

if TYPE_CHECKING:
    from phonenumbers import PhoneNumberMatch

_CANDIDATE: Final = (
    r"(?<![^\W_])(?<![0-9][.,:/-])[+(]?[0-9][0-9 ().\u00a0\u202f/-]{5,24}[0-9](?![^\W_])"
    r"(?:,? ?(?:ext|x)\.? ?[0-9]{1,5})?"
)
_EXTENSION: Final = re.compile(r"[\s,;]*(?:ext|x)\.?\s*([0-9]+)$", re.IGNORECASE)
_LOCAL: Final = r"(?<![^\W_])(?<![0-9][.,:/-])([0-9]{3})[-.]([0-9]{4})(?![^\W_]|[-.,/][0-9])"


def phone_rules(lexicon: Lexicon, region: str) -> tuple[Rule, ...]:
    """region: the country whose numbers are written without a prefix, ISO 3166."""
    numerals = lexicon.figures.numerals

    def group(digits: str) -> str:
        if region in lexicon.phones_by_number and len(digits) <= 3:
            zeros = len(digits) - len(digits.lstrip("0"))
            rest = [numerals.cardinal(int(digits))] if zeros < len(digits) else []
            return " ".join([*[numerals.cardinal(0)] * zeros, *rest])
        if digits in {"800", "900"} and region == "US":
            return numerals.cardinal(int(digits))
        return " ".join(numerals.cardinal(int(digit)) for digit in digits)

    def said(found: PhoneNumberMatch) -> str | None:
        from phonenumbers import PhoneNumberFormat, format_number, is_valid_number  # noqa: PLC0415 - heavy

        raw = found.raw_string
        extension = _EXTENSION.search(raw)
        written = raw[: extension.start()] if extension else raw
        if not (is_valid_number(found.number) or raw.startswith("+") or lexicon.phone_shape.fullmatch(written)):
            return None
        groups = re.findall(r"[0-9]+", written)
        if len(groups) == 1:
            form = PhoneNumberFormat.INTERNATIONAL if written.startswith("+") else PhoneNumberFormat.NATIONAL
            # An extension is formatted behind the number: it is read separately.
            groups = re.findall(r"[0-9]+", _EXTENSION.sub("", format_number(found.number, form)))
            if "".join(groups) != written.lstrip("+"):  # without its trunk prefix it is just a number
                return None
        words = ", ".join(map(group, groups))
        if "+" in written:
            words = f"{lexicon.plus} {words}"
        if extension:
            words += f", {lexicon.extension} {lexicon.figures.words(extension[1])}"
        return words

    def number(match: Match[str]) -> str | None:
        from phonenumbers import Leniency, PhoneNumberMatcher  # noqa: PLC0415 - heavy

        pieces: list[str] = []
        end = 0
        for found in PhoneNumberMatcher(match[0], region, leniency=Leniency.POSSIBLE, max_tries=8):
            words = said(found)
            if words is None or _inside(found, match[0]):
                continue
            pieces += [match[0][end : found.start], words]
            end = found.end
        return "".join([*pieces, match[0][end:]]) if pieces else None

    def local(match: Match[str]) -> str | None:
        # "500-1000" is a range; "555-0123" is a number.
        if match[2].endswith("00"):
            return None
        return f"{group(match[1])}, {group(match[2])}"

    rules = (rule(_CANDIDATE, number, ignore_case=True),)
    return (*rules, rule(_LOCAL, local)) if region in {"US", "CA"} else rules


def _inside(found: PhoneNumberMatch, text: str) -> bool:
    """Whether *found* is only a part of a longer row of digits."""
    after = text[found.end : found.end + 2]
    return after[:1].isdigit() or (after[:1] in {"-", "."} and after[1:].isdigit())
