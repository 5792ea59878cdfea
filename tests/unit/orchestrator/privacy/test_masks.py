"""What is masked in a text, and what is not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.privacy import Masking
from orchestrator.privacy.digit_runs import digit_runs
from orchestrator.privacy.masks import CallMask, find, masked, masks_as_much


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("it is 4111 1111 1111 1111", "it is [card]"),
        ("it is 4111-1111-1111-1111.", "it is [card]."),
        ("four one one one, one one one one, one one one one, one one one one", "[card]"),
        ("it is 4111 1111 1111 1112", "it is [number]"),
        ("my account is FR76 3000 6000 0112 3456 7890 189 there", "my account is [iban] there"),
        ("1 85 05 78 006 084 91", "[national id]"),
        ("the number is AB 12 34 56 C", "the number is [national id]"),
        ("call +33 6 12 34 56 78 please", "call [phone] please"),
        ("call 06 12 34 56 78 please", "call [phone] please"),
        ("oh six twelve thirty-four fifty-six seventy-eight", "[phone]"),
        ("zéro six douze trente-quatre cinquante-six soixante-dix-huit", "[phone]"),
        ("double four triple seven nine", "[number]"),
        ("my pin is 4821", "my pin is [number]"),
        ("quatre huit deux un", "[number]"),
    ],
)
def test_numbers_of_somebody_are_masked_under_either_policy(said: str, kept: str) -> None:
    assert masked(said, Masking.NUMBERS) == kept
    assert masked(said, Masking.ALL) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("write to jane.doe@example.com", "write to [e-mail]"),
        ("jane dot doe at example dot com", "[e-mail]"),
        ("c'est jane point doe arobase exemple point fr", "c'est [e-mail]"),
        ("it is j d o e at gmail dot com", "it is [e-mail]"),
        ("my name is Jane Doe", "my name is [name]"),
        ("my name is jane and I am late", "my name is [name] and I am late"),
        ("je m'appelle Jean-Luc de la Tour", "je m'appelle [name]"),
        ("it is spelled D O E", "it is spelled [name]"),
        ("thank you, Mrs Doe", "thank you, Mrs [name]"),
        ("I was born on the 3rd of May 1980", "I was born on [date of birth]"),
        ("né le 3 mai 1980", "né [date of birth]"),
        ("I live at 12 Acacia Avenue", "I live at [address]"),
        ("12 rue de la Paix, 75002 Paris", "[address]"),
        ("it is SW1A 1AA", "it is [address]"),
    ],
)
def test_people_and_places_are_masked_when_everything_is(said: str, kept: str) -> None:
    assert masked(said, Masking.ALL) == kept
    assert masked(said, Masking.NUMBERS) == said


@pytest.mark.parametrize(
    "said",
    [
        "what time is it",
        "it costs 1,250,000 dollars",
        "a table for four at seven thirty on the 3rd of May",
        "on 03/05/2027 at 14:30",
        "three or four of them, in 2019, 2020 and 2021",
        "a hundred and twenty people",
        "This is Monday, I'm late",
        "call me back",
        "look at example dot com",
        "vingt-cinq minutes",
    ],
)
def test_quantities_appointments_and_small_talk_stay(said: str) -> None:
    assert masked(said, Masking.ALL) == said


def test_nothing_is_looked_for_without_a_policy() -> None:
    assert masked("4111 1111 1111 1111", Masking.NONE) == "4111 1111 1111 1111"


def test_a_name_that_was_told_is_masked_wherever_it_comes_again() -> None:
    mask = CallMask(Masking.ALL)
    assert mask("my name is jane doe") == "my name is [name]"
    assert mask("Nice to meet you, Jane Doe. A doe is no deer.") == "Nice to meet you, [name] [name]. A doe is no deer."


def test_another_call_does_not_know_the_name() -> None:
    CallMask(Masking.ALL)("my name is Jane")
    assert CallMask(Masking.ALL)("Jane was here") == "Jane was here"


def test_the_stricter_policy_wins() -> None:
    assert Masking.NUMBERS.with_at_least(Masking.ALL) is Masking.ALL
    assert Masking.NUMBERS.with_at_least(Masking.NONE) is Masking.NUMBERS


@given(st.text(alphabet="0123456789 oneé six@.-[]cardMrJane at dot,'", max_size=80))
def test_what_is_masked_once_stays_as_it_is(text: str) -> None:
    once = masked(text, Masking.ALL)
    spans = find(text, Masking.ALL)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert not [run for run in digit_runs(once) if run.written and len(run.digits) >= 16]


@pytest.mark.parametrize("text", ["4" * 100_000, "one " * 20_000, "a.b " * 20_000, "A B " * 20_000, "Jane " * 20_000])
def test_a_text_of_any_length_takes_no_more_than_its_share_of_time(text: str) -> None:
    import time  # noqa: PLC0415

    started = time.process_time()
    masked(text, Masking.ALL)
    assert time.process_time() - started < 5.0


@pytest.mark.parametrize(
    ("heard", "anew", "as_much"),
    [
        ("my name is [name]", "my name is [name]", True),
        ("hello there", "hello, [name]", True),
        ("call me at [number]", "call me at [phone]", True),  # a mishearing may make either of one
        ("thanks, [name]", "thanks, Martha", False),
        ("[name] at [phone]", "[name] at 6 1 2", False),
        ("[number] and [number]", "[number] and four", False),
    ],
)
def test_another_account_of_a_line_that_masks_less_is_told_apart(heard: str, anew: str, as_much: bool) -> None:
    assert masks_as_much(heard, anew) is as_much
