"""What a question expects for an answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Form(Enum):
    """The form of an answer."""

    ANY = "any"
    DIGITS = "digits"
    DATE = "date"
    EMAIL = "email"
    SPELLING = "spelling"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the answer to a question should be.

    count: how many digits or letters it has, or 3 for a date with its year; None when nobody knows.
    """

    form: Form = Form.ANY
    count: int | None = None


ANYTHING = Expectation()
