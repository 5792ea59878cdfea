"""What French abbreviates, and the numbers that it reads in a way of its own."""

from __future__ import annotations

import re
from re import Match
from typing import Final

from orchestrator.dialogue.spoken_form.lexicon import Lexicon
from orchestrator.dialogue.spoken_form.numerals import LONGEST_NUMBER
from orchestrator.dialogue.spoken_form.rules import START, Rule, Words, any_of, rule

# What is counted in a conversation and takes "une"; nothing lighter than a model knows the gender of every noun.
_FEMININE: Final = (
    *(
        "heure",
        "minute",
        "seconde",
        "semaine",
        "journée",
        "année",
        "nuit",
        "fois",
        "demi-heure",
        "quinzaine",
        "dizaine",
    ),
    *("personne", "place", "chambre", "table", "pièce", "page", "ligne", "étape", "option", "question", "réponse"),
    *(
        "réservation",
        "commande",
        "consultation",
        "séance",
        "visite",
        "réunion",
        "livre",
        "tonne",
        "douzaine",
        "centaine",
    ),
    *("carte", "clé", "voiture", "facture", "offre", "demande", "unité", "boîte", "bouteille", "portion", "part"),
    *("tranche", "rue", "avenue", "station", "porte", "touche", "dose", "ordonnance", "dent", "radio"),
)
_TITLES: Final = {
    "M": "Monsieur",
    "MM": "Messieurs",
    "Mme": "Madame",
    "Mmes": "Mesdames",
    "Mlle": "Mademoiselle",
    "Mlles": "Mesdemoiselles",
    "Dr": "Docteur",
    "Drs": "Docteurs",
    "Pr": "Professeur",
    "Me": "Maître",
    "Mgr": "Monseigneur",
}
_NEEDS_STOP: Final = ("M", "MM")
_ABBREVIATIONS: Final = {
    "etc": "et cetera",
    "tél": "téléphone",
    "Tél": "Téléphone",
    "env": "environ",
    "max": "maximum",
    "av": "avenue",
    "Av": "Avenue",
    "bd": "boulevard",
    "Bd": "Boulevard",
    "boul": "boulevard",
    "Boul": "Boulevard",
    "bât": "bâtiment",
    "Bât": "Bâtiment",
    "appt": "appartement",
    "apt": "appartement",
    "app": "appartement",
    "réf": "référence",
    "Réf": "Référence",
    "cf": "confer",
    "ex": "exemple",
    "chap": "chapitre",
    "ét": "étage",
}
_TRAILING: Final = ("etc", "max", "ét")
_FULL_STOP: Final = re.compile(r"\s*$|\s+[A-ZÀ-Þ«\"]")
_ROMAN: Final = {"I": 1, "V": 5, "X": 10, "L": 50}


def french_abbreviations(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Titles, streets, "n° 5", "p. ex.", "RDV"; postal codes and service numbers, which are read as numbers."""
    numerals = lexicon.figures.numerals

    def title(match: Match[str]) -> str:
        return f"{_TITLES[match[1]]} "

    def short(match: Match[str]) -> str:
        rest = match.string[match.end() :]
        # "av. Foch" ends no sentence, "etc. Nous" does.
        ends = not rest.strip() or (match[1] in _TRAILING and _FULL_STOP.match(rest))
        return _ABBREVIATIONS[match[1]] + ("." if ends else "")

    def postal(match: Match[str]) -> str:
        if not match[2].startswith("0"):
            return f"{match[1]}{numerals.cardinal(int(match[2]))}"
        return f"{match[1]}{numerals.cardinal(0)} {numerals.cardinal(int(match[2]))}"

    def service(match: Match[str]) -> str:
        return f"{match[1]}{numerals.cardinal(int(match[2]))} {numerals.cardinal(int(match[3]))}"

    with_stop, free = any_of(_NEEDS_STOP), any_of([name for name in _TITLES if name not in _NEEDS_STOP])
    fixed = (
        (r"(?i:p\. ?ex\.)", "par exemple"),
        (r"(?i:c\.?-[àa]-d\.?)", "c'est-à-dire"),
        (r"(?i:svp|s\.v\.p\.)(?![^\W_])", "s'il vous plaît"),
        (r"(?i:rdv)(?![^\W_])", "rendez-vous"),
        (r"(?:Mme)(?![^\W_])", "Madame"),
        (r"(?:Mlle)(?![^\W_])", "Mademoiselle"),
        (r"(?:St)(?=[- ][A-ZÀ-Þ])", "Saint"),
        (r"(?:Ste)(?=[- ][A-ZÀ-Þ])", "Sainte"),
        (r"(?:bd|boul)(?= [A-ZÀ-Þ])", "boulevard"),
        (r"(?:Bd|Boul)(?= [A-ZÀ-Þ])", "Boulevard"),
    )
    return (
        rule(rf"(?<![^\W_])({with_stop})\.[^\S\n]*(?=[A-ZÀ-Þ])", title, digits=False),
        rule(rf"(?<![^\W_])({free})(?:\.[^\S\n]*|[^\S\n]+)(?=[A-ZÀ-Þ])", title, digits=False),
        *(rule(rf"(?<![^\W_]){pattern}", _always(words), digits=False) for pattern, words in fixed),
        rule(rf"(?<![^\W_])({any_of(_ABBREVIATIONS)})\.(?![^\W_])", short, digits=False),
        rule(r"(?<![^\W_])(?:n[°º]|no\.?|N[°º]|No\.?)\s?(?=[0-9])", lambda _: f"{lexicon.number} "),
        rule(rf"{START}()([0-9]{{5}})(?= [A-ZÀ-Þ][\w'’-]+)", postal),
        rule(r"(?<![^\W_])(code postal(?: est)?(?: le)? ?:? )([0-9]{5})(?![0-9])", postal, ignore_case=True),
        rule(
            r"(?<![^\W_])((?:faites|composez|appelez|tapez) le )([1-9][0-9])([1-9][0-9])(?![0-9]|[ .-][0-9])",
            service,
            ignore_case=True,
        ),
        rule(r"(?<![^\W_])[nN][°º]", lambda _: lexicon.number, digits=False),
    )


def french_numbers(lexicon: Lexicon) -> tuple[Rule, ...]:
    """Ordinals, centuries, postal codes, "24h/24", and what is counted in the feminine."""
    figures, numerals = lexicon.figures, lexicon.figures.numerals

    def ordinal(match: Match[str]) -> str | None:
        number, ending = match[1], match[2].lower()
        if len(number) > LONGEST_NUMBER:
            return None
        if ending in {"nd", "nde", "nds", "ndes"}:
            return ("seconde" if "de" in ending else "second") + ("s" if ending.endswith("s") else "")
        said = numerals.ordinal(int(number), feminine=ending in {"re", "res", "ère", "ères"})
        return said + "s" if ending.endswith("s") and not said.endswith("s") else said

    def century(match: Match[str]) -> str | None:
        values = [_ROMAN[letter] for letter in match[1]]
        number = sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))
        return numerals.ordinal(number) if number > 0 else None

    def around(match: Match[str]) -> str:
        unit = lexicon.units[match[2].lower()]
        return f"{figures.counted(match[1], unit)} {lexicon.out_of} {figures.words(match[3])}"

    def row(match: Match[str]) -> str | None:
        return None if match[0].endswith("000") and match[0][0] != "0" else numerals.digits(match[0])

    whole = r"(?![^\W_]|[.,:/][0-9])"
    return (
        rule(
            rf"{START}([0-9]+)(ers?|res?|ères?|ndes?|nds?|è?mes?|emes?|ièmes?|iemes?|es?)(?![^\W_])",
            ordinal,
            ignore_case=True,
        ),
        rule(r"(?<![^\W_])([IVXL]+)e(?=\s+siècles?\b)", century, digits=False),
        rule(rf"{START}([0-9]+)\s?([hHjJ])\s?/\s?([0-9]+)(?:\s?[hHjJ])?(?![^\W_])", around),
        rule(rf"{START}[0-9]{{6,}}{whole}", row),
        rule(
            rf"{START}[0-9]{{4}}(?:[ -][0-9]{{3,4}}){{2,}}{whole}",
            lambda match: ", ".join(map(numerals.digits, re.findall("[0-9]+", match[0]))),
        ),
        rule(
            rf"{START}({figures.number})(?=[ \u00a0\u202f]{any_of(_FEMININE)}s?(?![^\W_]))",
            lambda match: figures.words(match[1], feminine=True),
        ),
    )


def _always(words: str) -> Words:
    return lambda _: words
