"""Yes and no, in people's words."""

from __future__ import annotations

import pytest

from orchestrator.dialogue.agreement import agreed


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Yes.", "en"),
        ("Yeah, sure, go ahead.", "en"),
        ("Yes, but what are your opening hours?", "en-GB"),
        ("No problem.", "en"),
        ("I don't mind at all.", "en"),
        ("Fine by me", "en"),
        ("Oui.", "fr"),
        ("Ouais, pas de problème.", "fr-FR"),
        ("D\N{RIGHT SINGLE QUOTATION MARK}accord", "fr"),
        ("Yes, of course", "fr"),
        ("Yes", "nl"),
    ],
)
def test_these_agree(text: str, language: str) -> None:
    assert agreed(text, language) is True


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No.", "en"),
        ("No, thank you.", "en"),
        ("I'd rather not.", "en"),
        ("Please don't.", "en"),
        ("I do not want that.", "en"),
        ("Non merci", "fr"),
        ("Je ne veux pas", "fr"),
        ("No!", "fr"),
    ],
)
def test_these_refuse(text: str, language: str) -> None:
    assert agreed(text, language) is False


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("What are your opening hours?", "en"),
        ("Yes. No, wait, no.", "en"),
        ("I am not sure.", "en"),
        ("Notable things", "en"),
        ("Oui et non", "fr"),
        ("Ja", "nl"),
    ],
)
def test_these_say_neither_and_so_do_not_agree(text: str, language: str) -> None:
    assert agreed(text, language) is None
