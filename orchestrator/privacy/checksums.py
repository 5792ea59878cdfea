"""What tells a card, an account or an identity from other numbers of the same length."""

from __future__ import annotations

_LETTERS = {chr(ord("A") + index): str(10 + index) for index in range(26)}


def is_card(digits: str) -> bool:
    """Whether *digits* could be a card's: 13 to 19, with Luhn's check digit. Source: ISO/IEC 7812-1, annex B."""
    if not 13 <= len(digits) <= 19:
        return False
    total = 0
    for index, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def is_iban(text: str) -> bool:
    """Whether *text*, letters and digits alone, is an IBAN. Source: ISO 13616-1, mod 97-10 of ISO/IEC 7064."""
    if not (15 <= len(text) <= 34 and text[:2].isalpha() and text[2:4].isdecimal() and text.isascii()):
        return False
    moved = (text[4:] + text[:4]).upper()
    return int("".join(_LETTERS.get(sign, sign) for sign in moved)) % 97 == 1


def is_nir(digits: str) -> bool:
    """Whether *digits* are a French social security number with its key: 97 less the rest of the number by 97."""
    return len(digits) == 15 and digits[0] in "123478" and int(digits[13:]) == 97 - int(digits[:13]) % 97
