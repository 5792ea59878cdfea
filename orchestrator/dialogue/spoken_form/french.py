"""The words of French."""

from __future__ import annotations

import re
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import FRENCH_NUMBER, Figures, Lexicon, Money, Noun
from orchestrator.dialogue.spoken_form.numerals import Numerals

_CENTIME: Final = Noun("centime", "centimes")
_EURO: Final = Money(Noun("euro", "euros"), _CENTIME)
_DOLLAR: Final = Money(Noun("dollar", "dollars"), Noun("cent", "cents"))
_POUND: Final = Money(Noun("livre", "livres", feminine=True), Noun("penny", "pence"))
_MONEY: Final = {
    "€": _EURO,
    "EUR": _EURO,
    "$": _DOLLAR,
    "USD": Money(Noun("dollar américain", "dollars américains"), Noun("cent", "cents")),
    "CAD": Money(Noun("dollar canadien", "dollars canadiens"), Noun("cent", "cents")),
    "£": _POUND,
    "GBP": _POUND,
    "CHF": Money(Noun("franc suisse", "francs suisses"), _CENTIME),
    "¥": Money(Noun("yen", "yens"), None),
}
_UNITS: Final = {
    "km": Noun("kilomètre", "kilomètres"),
    "m": Noun("mètre", "mètres"),
    "cm": Noun("centimètre", "centimètres"),
    "mm": Noun("millimètre", "millimètres"),
    "km/h": Noun("kilomètre heure", "kilomètres heure"),
    "m²": Noun("mètre carré", "mètres carrés"),
    "m2": Noun("mètre carré", "mètres carrés"),
    "m³": Noun("mètre cube", "mètres cubes"),
    "m3": Noun("mètre cube", "mètres cubes"),
    "kg": Noun("kilo", "kilos"),
    "g": Noun("gramme", "grammes"),
    "mg": Noun("milligramme", "milligrammes"),
    "t": Noun("tonne", "tonnes", feminine=True),
    "l": Noun("litre", "litres"),
    "L": Noun("litre", "litres"),
    "ml": Noun("millilitre", "millilitres"),
    "mL": Noun("millilitre", "millilitres"),
    "cl": Noun("centilitre", "centilitres"),
    "h": Noun("heure", "heures", feminine=True),
    "H": Noun("heure", "heures", feminine=True),
    "min": Noun("minute", "minutes", feminine=True),
    "mn": Noun("minute", "minutes", feminine=True),
    "s": Noun("seconde", "secondes", feminine=True),
    "sec": Noun("seconde", "secondes", feminine=True),
    "ms": Noun("milliseconde", "millisecondes", feminine=True),
    "j": Noun("jour", "jours"),
    "°": Noun("degré", "degrés"),
    "°C": Noun("degré", "degrés"),
    "° C": Noun("degré", "degrés"),
    "ºC": Noun("degré", "degrés"),
    "°F": Noun("degré Fahrenheit", "degrés Fahrenheit"),
    "kW": Noun("kilowatt", "kilowatts"),
    "kWh": Noun("kilowattheure", "kilowattheures"),
    "Mo": Noun("mégaoctet", "mégaoctets"),
    "Go": Noun("gigaoctet", "gigaoctets"),
    "To": Noun("téraoctet", "téraoctets"),
    "%": Noun("pour cent"),
}
_CODE_NAMES: Final = (
    "commande|confirmation|référence|réf\\.?|réservation|dossier|facture|client|contrat|suivi|compte|ticket|billet|colis"
    "|adhérent|abonné|police|sinistre|carte|vol|série|licence"
)
_CODE_CUES: Final = (
    rf"(?i:(?:numéro|n°|no\.?) (?:de |d['’]|du |de la )?(?:{_CODE_NAMES})(?: est)?(?: le)? ?:? ?"
    rf"|(?:{_CODE_NAMES}) (?:numéro|n°|no\.?|nº) ?|(?:{_CODE_NAMES})(?: est)?(?: le)? ?:? (?=[A-Z]*[0-9][A-Z0-9-]{{3}})"
    r"|code(?: postal| d['’]accès| de confirmation| client| pin)?(?: est)?(?: le)? ?:? )"
)


def french_lexicon() -> Lexicon:
    """The words of French as France speaks it; seventy and ninety are those of CLDR's "fr"."""
    numerals = Numerals(
        "fr",
        ("spellout-cardinal-masculine", "spellout-cardinal-feminine"),
        ("spellout-ordinal-masculine", "spellout-ordinal-feminine"),
        "spellout-cardinal-masculine",
    )
    figures = Figures(
        numerals=numerals,
        number=FRENCH_NUMBER,
        separators=" \u00a0\u202f.",
        points=",.",
        point="virgule",
        minus="moins",
        decimals_as_number=True,
        two_is_many=True,
        of=re.compile(r"(?:million|milliard)s?$"),
    )
    return Lexicon(
        figures=figures,
        to="à",
        per="par",
        and_="et",
        plus="plus",
        number="numéro",
        slash="sur",
        out_of="sur",
        times="par",
        extension="poste",
        symbols={
            "&": "et",
            "+": "plus",
            "#": "dièse",
            "@": "arobase",
            "%": "pour cent",
            "=": "égale",
            "°": "degrés",
            "€": "euros",
            "£": "livres",
            "$": "dollars",
            "×": "fois",
            "№": "numéro",
            "²": "au carré",
            "³": "au cube",
        },
        in_addresses={
            "@": "arobase",
            ".": "point",
            "-": "tiret",
            "_": "tiret bas",
            "+": "plus",
            "/": "slash",
            "~": "tilde",
            "%": "pour cent",
            "?": "point d'interrogation",
            "=": "égale",
            "&": "et",
            "#": "dièse",
            ":": "deux points",
        },
        units=_UNITS,
        money=_MONEY,
        scales={
            "k": "mille",
            "K": "mille",
            "mille": "mille",
            "M": "millions",
            "million": "millions",
            "millions": "millions",
            "Md": "milliards",
            "Mds": "milliards",
            "milliard": "milliards",
            "milliards": "milliards",
        },
        per_units={
            "h": "heure",
            "j": "jour",
            "min": "minute",
            "kg": "kilo",
            "km": "kilomètre",
            "m²": "mètre carré",
            "l": "litre",
            "pers": "personne",
            "sem": "semaine",
        },
        fractions={
            "1/2": "un demi",
            "1/3": "un tiers",
            "2/3": "deux tiers",
            "1/4": "un quart",
            "3/4": "trois quarts",
            "+1/2": "demi",
            "24/7": "vingt-quatre heures sur vingt-quatre, sept jours sur sept",
        },
        code_cues=_CODE_CUES,
        dial_cues=r"(?!)",  # France says its short numbers as numbers
        phone_shape=re.compile(
            r"0[0-9](?:[ .\u00a0\u202f-]?[0-9]{2}){4}|\(?[0-9]{3}\)?[ .-]{0,2}[0-9]{3}[ .-][0-9]{4}"
        ),
        phones_by_number=frozenset({"FR", "BE", "CH", "LU", "MC"}),
    )
