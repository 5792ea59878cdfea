from __future__ import annotations

from datetime import timedelta

from orchestrator.core.acquaintance import Acquaintance, EarlierCall
from orchestrator.dialogue.prompting import of_the_caller


def test_what_is_not_known_is_not_mentioned() -> None:
    assert "Notes" not in of_the_caller(Acquaintance("Ann"))
    assert "Name" not in of_the_caller(Acquaintance(earlier=(EarlierCall(timedelta(0), "She asked."),)))


def test_calls_are_told_by_their_days() -> None:
    days = [timedelta(hours=23), timedelta(hours=47), timedelta(days=8, hours=5)]
    told = of_the_caller(Acquaintance(earlier=tuple(EarlierCall(ago, "It rang.") for ago in days)))
    places = [told.index(when) for when in ("within the last day", "a day ago", "8 days ago")]
    assert places == sorted(places)


def test_long_notes_are_cut_at_a_word_and_lines_are_joined() -> None:
    told = of_the_caller(Acquaintance("Ann", notes="one\n\ntwo " + "word " * 1000))
    assert "one two word" in told
    assert told.endswith("word …")
    assert len(told) < 800
