"""Conversations keep their slots."""

from __future__ import annotations

from contextlib import ExitStack

from inference.llm.slots import Slots


def slot_of(slots: Slots, conversation: str) -> int:
    with slots.held(conversation) as index:
        return index


def test_a_conversation_comes_back_to_its_slot() -> None:
    slots = Slots(3)
    first = slot_of(slots, "a")
    slot_of(slots, "b")
    assert slot_of(slots, "a") == first


def test_a_new_conversation_takes_the_slot_that_was_idle_longest() -> None:
    slots = Slots(2)
    a, b = slot_of(slots, "a"), slot_of(slots, "b")
    slot_of(slots, "a")
    assert slot_of(slots, "c") == b
    assert slot_of(slots, "a") == a


def test_a_request_of_no_conversation_gives_its_slot_up_first() -> None:
    slots = Slots(2)
    a = slot_of(slots, "a")
    anonymous = slot_of(slots, "")
    assert slot_of(slots, "b") == anonymous
    assert slot_of(slots, "a") == a


def test_a_busy_slot_is_shared_only_when_all_are_busy() -> None:
    slots = Slots(2)
    with ExitStack() as busy:
        a = busy.enter_context(slots.held("a"))
        b = busy.enter_context(slots.held("b"))
        assert a != b
        assert busy.enter_context(slots.held("c")) in {a, b}
        assert slots.requests == 3
    assert slots.requests == 0


def test_two_requests_of_one_conversation_share_its_slot() -> None:
    slots = Slots(4)
    with slots.held("a") as first, slots.held("a") as second:
        assert first == second
