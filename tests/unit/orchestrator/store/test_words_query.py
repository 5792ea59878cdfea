"""What is typed into a search field can be words and nothing else."""

from __future__ import annotations

import pytest

from orchestrator.store.words_query import MOST_TERMS, WordsQuery


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("refund", "'refund'"),
        ("my refund", "'my' & 'refund'"),
        ('"my refund" now', "('my' <-> 'refund') & 'now'"),
        ('"never closed', "('never' <-> 'closed')"),
        ("refund*", "'refund':*"),
        ("refund -angry", "'refund' & !'angry'"),
        ('-"no way" yes', "!('no' <-> 'way') & 'yes'"),
        ("it's", "'it''s'"),
        ("back\\slash", "'back\\\\slash'"),
        ("a | b & !c <-> (d):*", "'a' & 'b' & '!c' & '(d):'" + ":*"),
        ("?! -- ''", ""),
        ("", ""),
    ],
)
def test_every_term_is_quoted(typed: str, whole: str) -> None:
    assert WordsQuery.of(typed).whole == whole


def test_lines_are_shown_for_words_that_are_wanted() -> None:
    assert WordsQuery.of('refund -angry "last week"').parts == "'refund' | ('last' <-> 'week')"


def test_so_many_words_and_no_more() -> None:
    assert WordsQuery.of("word " * 1000).whole.count("'word'") == MOST_TERMS
