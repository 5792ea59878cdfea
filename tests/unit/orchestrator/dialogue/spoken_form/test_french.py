from __future__ import annotations

import pytest

from orchestrator.dialogue.spoken_form import spoken

TIMES = [
    ("Le mardi 3 mai à 14h30.", "Le mardi trois mai à quatorze heures trente."),
    ("À 21h, 1h05 ou 14 h 30.", "À vingt-et-une heures, une heure cinq ou quatorze heures trente."),
    ("De 9h à 17h, 9h-12h le samedi.", "De neuf heures à dix-sept heures, neuf heures à douze heures le samedi."),
    ("Lun.-ven. 9h30-18h.", "lundi à vendredi neuf heures trente à dix-huit heures."),
    ("De 8:30 à 12:00.", "De huit heures trente à douze heures."),
    ("Ouvert 24h/24 et 7j/7.", "Ouvert vingt-quatre heures sur vingt-quatre et sept jours sur sept."),
    ("Comptez 2h30min ou 45 min.", "Comptez deux heures trente ou quarante-cinq minutes."),
]
DATES = [
    ("Le 1er mai 2026.", "Le premier mai deux mille vingt-six."),
    ("Le 12/05/2026, ou le 12/05.", "Le douze mai deux mille vingt-six, ou le douze mai."),
    ("Le 2026-05-12.", "Le douze mai deux mille vingt-six."),
    ("Le 3 sept. 2026, du 3 au 5 mai.", "Le trois septembre deux mille vingt-six, du trois au cinq mai."),
    ("Les 3-5 mai.", "Les trois à cinq mai."),
    ("Le 2e étage, la 1re porte, le XXe siècle.", "Le deuxième étage, la première porte, le vingtième siècle."),
]
MONEY = [
    ("Il coûte 80 €.", "Il coûte quatre-vingts euros."),
    ("80,50 € ou 12€50.", "quatre-vingts euros et cinquante centimes ou douze euros et cinquante centimes."),
    ("1 234,56 €", "mille deux cent trente-quatre euros et cinquante-six centimes"),
    ("1.500 € et 0,99 €.", "mille cinq cents euros et quatre-vingt-dix-neuf centimes."),
    ("3 millions € et 1 M€.", "trois millions d'euros et un million d'euros."),
    ("20€/mois, entre 20-30 €.", "vingt euros par mois, entre vingt et trente euros."),
]
NUMBERS = [
    ("21 personnes, 1 place, 81 pages.", "vingt-et-une personnes, une place, quatre-vingt-une pages."),
    ("3,14 et 3,05.", "trois virgule quatorze et trois virgule zéro cinq."),
    ("20 %, -5 °C, 80 km/h.", "vingt pour cent, moins cinq degrés, quatre-vingts kilomètres heure."),
    ("1 234 567 habitants.", "un million deux cent trente-quatre mille cinq cent soixante-sept habitants."),
    ("2½ kg et 3/4.", "deux kilos et demi et trois quarts."),
    ("En 1998.", "En mille neuf cent quatre-vingt-dix-huit."),
]
CONTACTS = [
    ("Écrivez à j.dupont@exemple.fr.", "Écrivez à j point dupont arobase exemple point f r."),
    ("Sur https://www.mon-site.fr/infos.", "Sur mon tiret site point f r slash infos."),
    ("Au 01 23 45 67 89.", "Au zéro un, vingt-trois, quarante-cinq, soixante-sept, quatre-vingt-neuf."),
    ("Tél. 0612345678", "Téléphone zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit"),
    ("Faites le 3939 ou le 15.", "Faites le trente-neuf trente-neuf ou le quinze."),
    ("Tapez 1, puis #.", "Tapez un, puis dièse."),
]
CODES = [
    ("Commande n° 4521987.", "Commande numéro quatre cinq deux, un neuf huit sept."),
    ("Dossier AB-1234.", "Dossier A B, un deux trois quatre."),
    ("Le code est 4521.", "Le code est quatre cinq deux un."),
    ("12 rue de Rivoli, 75001 Paris.", "douze rue de Rivoli, soixante-quinze mille un Paris."),
    ("Au code postal 06000.", "Au code postal zéro six mille."),
]
ABBREVIATIONS = [
    ("M. Dupont, Mme Martin et le Dr Petit.", "Monsieur Dupont, Madame Martin et le Docteur Petit."),
    ("3 bd Voltaire, av. Foch, St-Denis.", "trois boulevard Voltaire, avenue Foch, Saint-Denis."),
    ("Un RDV svp, p. ex. mardi, etc.", "Un rendez-vous s'il vous plaît, par exemple mardi, et cetera."),
    ("Au bât. B, appt. 12.", "Au bâtiment B, appartement douze."),
]


@pytest.mark.parametrize(
    ("written", "said"), [*TIMES, *DATES, *MONEY, *NUMBERS, *CONTACTS, *CODES, *ABBREVIATIONS]
)  # fmt: skip
def test_french_is_written_and_said(written, said):
    assert spoken(written, "fr") == said


def test_canada_says_its_phone_numbers_digit_by_digit():
    assert spoken("Au 514 555-1234.", "fr-CA") == "Au cinq un quatre, cinq cinq cinq, un deux trois quatre."
