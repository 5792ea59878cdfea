from __future__ import annotations

import pytest

from orchestrator.jobs.summary import prompt, shortened
from orchestrator.store.call_analysis import Line


def test_of_a_long_call_the_beginning_and_the_end_are_read() -> None:
    lines = [Line("caller", f"word{n} and some more words") for n in range(500)]
    read = prompt(lines)[-1].content
    assert len(read) < 2500
    assert read.startswith("caller: word0 and")
    assert "word499 and some more words\n\nSummary:" in read
    assert "word250" not in read


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("She called. It rang. And th", "She called. It rang."),
        ("no full stop", "no full stop"),
        ("", ""),
        ("a" * 1000, "a" * 600),
    ],
)
def test_a_summary_ends_with_a_whole_sentence(text: str, short: str) -> None:
    assert shortened(text) == short
