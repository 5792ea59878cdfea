"""LocalAgreement-2 over hypotheses of a growing utterance."""

from hypothesis import given
from hypothesis import strategies as st

from inference.stt.agreement import Agreed, Agreement, folded
from orchestrator.core.ports import Transcript

WORDS = st.sampled_from(["i", "I", "need", "need.", "a", "room", "Room,", "for", "two", "to", "nights", "…"])
HYPOTHESES = st.lists(st.lists(WORDS, max_size=8).map(" ".join), max_size=12)


def agreed(*hypotheses: str) -> Agreed:
    agreement = Agreement()
    result = Agreed("", "")
    for text in hypotheses:
        result = agreement.insert(Transcript(text))
    return result


def test_nothing_is_stable_after_one_hypothesis() -> None:
    assert agreed("I need a room") == ("", "I need a room")


def test_what_two_hypotheses_share_at_the_beginning_is_stable() -> None:
    assert agreed("I need a rule", "I need a room for two") == ("I need a", "room for two")


def test_case_and_punctuation_do_not_disagree_and_the_newer_spelling_stands() -> None:
    assert agreed("I need.", "i need a room.") == ("i need", "a room.")


def test_a_word_inserted_before_the_stable_ones_does_not_repeat_them() -> None:
    assert agreed("I need a room", "I need a room", "Well, I need a room for") == ("I need a room", "for")


def test_a_hypothesis_that_lost_its_beginning_takes_nothing_back() -> None:
    assert agreed("I need a room", "I need a room", "need a room for two") == ("I need a room", "for two")


def test_a_hypothesis_that_went_quiet_leaves_what_was_stable() -> None:
    assert agreed("I need a room", "I need a room", "") == ("I need a room", "")


@given(HYPOTHESES)
def test_stable_text_never_shrinks_or_changes(hypotheses: list[str]) -> None:
    agreement = Agreement()
    before: list[str] = []
    for text in hypotheses:
        now = agreement.insert(Transcript(text)).stable.split()
        assert now[: len(before)] == before
        before = now


@given(HYPOTHESES.filter(bool))
def test_unstable_text_is_the_end_of_the_last_hypothesis(hypotheses: list[str]) -> None:
    unstable = agreed(*hypotheses).unstable.split()
    last = hypotheses[-1].split()
    assert last[len(last) - len(unstable) :] == unstable


@given(st.lists(WORDS, max_size=12), st.data())
def test_prefixes_of_one_sentence_show_all_its_words_once(sentence: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sentence)), min_size=1, max_size=6)))
    stable, unstable = agreed(*(" ".join(sentence[:cut]) for cut in cuts))
    shown = [folded(word) for word in f"{stable} {unstable}".split()]
    assert shown == [folded(word) for word in sentence[: cuts[-1]]]
