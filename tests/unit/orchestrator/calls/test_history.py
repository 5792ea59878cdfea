"""What the language model sees of a conversation."""

from __future__ import annotations

from orchestrator.calls.history import KEPT_MESSAGES, History
from orchestrator.core.ports import Message


def history() -> History:
    return History(Message("system", "You help."))


def test_who_speaks_twice_in_a_row_has_said_one_thing() -> None:
    kept = history()
    kept.heard("Hello there.")
    kept.said("I want")
    kept.said("to book.")
    kept.heard("When")
    kept.heard("I am sorry.")
    assert [(message.role, message.content) for message in kept.prompt()[1:]] == [
        ("assistant", "Hello there."),
        ("user", "I want to book."),
        ("assistant", "When I am sorry."),
    ]


def test_words_that_nobody_heard_leave_no_trace() -> None:
    kept = history()
    kept.said("Hello")
    kept.heard("")
    assert [message.role for message in kept.prompt()] == ["system", "user"]


def test_a_long_conversation_is_cut_at_its_beginning_and_begins_with_the_caller() -> None:
    kept = history()
    for number in range(20):
        kept.heard(f"answer {number}")
        kept.said(f"question {number}")
    seen = kept.prompt()
    assert seen[0].role == "system"
    assert seen[1].role == "user"
    assert seen[-1].content == "question 19"
    assert len(seen) <= KEPT_MESSAGES + 1
