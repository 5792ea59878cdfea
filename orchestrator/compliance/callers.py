"""Who a caller is, by the number or name that calls are recorded under."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.agents import route


@dataclass(frozen=True, slots=True)
class Caller:
    """name: the number in E.164, or a name in small letters; forms: how calls may have it, as numbers are compared."""

    name: str
    forms: tuple[str, ...]

    @property
    def spellings(self) -> tuple[str, ...]:
        """How files may have it."""
        return (self.name, *self.forms)


def caller_of(written: str) -> Caller:
    """Whom *written* means: "+33 6 12 34 56 78", "0033612345678" and, without a country, what a trunk gave as it is.

    Raises ValueError for a number that cannot be one.
    """
    routed = route(written)
    international = written.strip().startswith("+") or routed.startswith("00")
    if not international or not routed.isdecimal():
        return Caller(routed, (routed,))
    from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse  # noqa: PLC0415 - heavy

    try:
        number = format_number(parse("+" + routed.removeprefix("00")), PhoneNumberFormat.E164)
    except NumberParseException as error:
        raise ValueError("no number with a country code, such as +33612345678") from error
    digits = number[1:]
    return Caller(number, (digits, f"00{digits}"))
