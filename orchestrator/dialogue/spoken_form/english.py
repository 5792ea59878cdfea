"""The words of English."""

from __future__ import annotations

import re
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import ENGLISH_NUMBER, Figures, Lexicon, Money, Noun
from orchestrator.dialogue.spoken_form.numerals import Numerals

_CENT: Final = Noun("cent", "cents")
_DOLLAR: Final = Money(Noun("dollar", "dollars"), _CENT)
_EURO: Final = Money(Noun("euro", "euros"), _CENT)
_POUND: Final = Money(Noun("pound", "pounds"), Noun("penny", "pence"))
_MONEY: Final = {
    "$": _DOLLAR,
    "US$": Money(Noun("US dollar", "US dollars"), _CENT),
    "USD": Money(Noun("US dollar", "US dollars"), _CENT),
    "C$": Money(Noun("Canadian dollar", "Canadian dollars"), _CENT),
    "CA$": Money(Noun("Canadian dollar", "Canadian dollars"), _CENT),
    "CAD": Money(Noun("Canadian dollar", "Canadian dollars"), _CENT),
    "€": _EURO,
    "EUR": _EURO,
    "£": _POUND,
    "GBP": _POUND,
    "CHF": Money(Noun("Swiss franc", "Swiss francs"), _CENT),
    "¥": Money(Noun("yen"), None),
    "¢": Money(_CENT, None),
}
_UNITS: Final = {
    "km": Noun("kilometer", "kilometers"),
    "m": Noun("meter", "meters"),
    "cm": Noun("centimeter", "centimeters"),
    "mm": Noun("millimeter", "millimeters"),
    "km/h": Noun("kilometer per hour", "kilometers per hour"),
    "kph": Noun("kilometer per hour", "kilometers per hour"),
    "mph": Noun("mile per hour", "miles per hour"),
    "mi": Noun("mile", "miles"),
    "ft": Noun("foot", "feet"),
    "yd": Noun("yard", "yards"),
    "sq ft": Noun("square foot", "square feet"),
    "m²": Noun("square meter", "square meters"),
    "m2": Noun("square meter", "square meters"),
    "m³": Noun("cubic meter", "cubic meters"),
    "kg": Noun("kilogram", "kilograms"),
    "g": Noun("gram", "grams"),
    "mg": Noun("milligram", "milligrams"),
    "lb": Noun("pound", "pounds"),
    "lbs": Noun("pound", "pounds"),
    "oz": Noun("ounce", "ounces"),
    "l": Noun("liter", "liters"),
    "L": Noun("liter", "liters"),
    "ml": Noun("milliliter", "milliliters"),
    "mL": Noun("milliliter", "milliliters"),
    "cl": Noun("centiliter", "centiliters"),
    "h": Noun("hour", "hours"),
    "hr": Noun("hour", "hours"),
    "hrs": Noun("hour", "hours"),
    "min": Noun("minute", "minutes"),
    "mins": Noun("minute", "minutes"),
    "sec": Noun("second", "seconds"),
    "secs": Noun("second", "seconds"),
    "ms": Noun("millisecond", "milliseconds"),
    "yr": Noun("year", "years"),
    "yrs": Noun("year", "years"),
    "°": Noun("degree", "degrees"),
    "°C": Noun("degree Celsius", "degrees Celsius"),
    "° C": Noun("degree Celsius", "degrees Celsius"),
    "ºC": Noun("degree Celsius", "degrees Celsius"),
    "°F": Noun("degree Fahrenheit", "degrees Fahrenheit"),
    "° F": Noun("degree Fahrenheit", "degrees Fahrenheit"),
    "kW": Noun("kilowatt", "kilowatts"),
    "kWh": Noun("kilowatt hour", "kilowatt hours"),
    "MB": Noun("megabyte", "megabytes"),
    "GB": Noun("gigabyte", "gigabytes"),
    "TB": Noun("terabyte", "terabytes"),
    "Mbps": Noun("megabit per second", "megabits per second"),
    "Gbps": Noun("gigabit per second", "gigabits per second"),
    "%": Noun("percent"),
}
_CODE_NAMES: Final = (
    "order|confirmation|reference|ref|booking|reservation|tracking|account|invoice|ticket|case|claim|member|membership"
    "|policy|customer|client|license|serial|flight|card|model|file|registration"
)
_CODE_CUES: Final = (
    rf"(?i:(?:{_CODE_NAMES})(?: (?:number|no\.?|code|id)(?:,? (?:is|was))?:? ?|:? (?=[A-Z]*[0-9][A-Z0-9-]{{3}}))"
    r"|(?:zip|zip code|post ?code|postal code|area code|pass ?code|pin|code|id|extension|ext\.?)"
    r"(?: number)?(?:,? (?:is|was))?:? )"
)
_ADDRESS_SYMBOLS: Final = {
    "@": "at",
    ".": "dot",
    "-": "dash",
    "_": "underscore",
    "+": "plus",
    "/": "slash",
    "~": "tilde",
    "%": "percent",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
    ":": "colon",
}


def english_lexicon(region: str) -> Lexicon:
    """region: "US" says "one hundred one" and "pound" for #, the others "one hundred and one" and "hash"."""
    american = region == "US"
    suffix = "" if american else "-verbose"
    numerals = Numerals(
        "en", (f"spellout-cardinal{suffix}",) * 2, (f"spellout-ordinal{suffix}",) * 2, "spellout-numbering-year"
    )
    figures = Figures(
        numerals=numerals,
        number=ENGLISH_NUMBER,
        separators=",",
        points=".",
        point="point",
        minus="minus",
        decimals_as_number=False,
        two_is_many=False,
    )
    return Lexicon(
        figures=figures,
        to="to",
        per="per",
        and_="and",
        plus="plus",
        number="number",
        slash="over",
        out_of="out of",
        times="by",
        extension="extension",
        symbols={
            "&": "and",
            "+": "plus",
            "#": "pound" if american else "hash",
            "@": "at",
            "%": "percent",
            "=": "equals",
            "°": "degrees",
            "€": "euros",
            "£": "pounds",
            "$": "dollars",
            "¢": "cents",
            "×": "times",
            "№": "number",
            "²": "squared",
            "³": "cubed",
        },
        in_addresses=_ADDRESS_SYMBOLS,
        units=_UNITS,
        money=_MONEY,
        scales={
            "k": "thousand",
            "K": "thousand",
            "thousand": "thousand",
            "M": "million",
            "m": "million",
            "mn": "million",
            "million": "million",
            "bn": "billion",
            "B": "billion",
            "billion": "billion",
            "trillion": "trillion",
        },
        per_units={
            "mo": "month",
            "yr": "year",
            "h": "hour",
            "hr": "hour",
            "min": "minute",
            "wk": "week",
            "kg": "kilogram",
            "lb": "pound",
            "km": "kilometer",
            "mi": "mile",
            "m²": "square meter",
            "l": "liter",
            "L": "liter",
        },
        fractions={
            "1/2": "one half",
            "1/3": "one third",
            "2/3": "two thirds",
            "1/4": "one quarter",
            "3/4": "three quarters",
            "+1/2": "a half",
            "+1/3": "a third",
            "+1/4": "a quarter",
            "24/7": "twenty-four seven",
        },
        code_cues=_CODE_CUES,
        dial_cues=r"(?i:(?:call|dial|text|phone|press)(?: us)?(?: at| on)? )",
        phone_shape=re.compile(r"(?:1[ .-])?\(?[0-9]{3}\)?[ .-]{0,2}[0-9]{3}[ .-][0-9]{4}"),
        letter_a="A-",
    )
