from __future__ import annotations

from orchestrator.core.agent import ApprovedAnswer
from orchestrator.dialogue.answers import AnswerBook, Certainty
from tests.fakes.engines import FakeEmbedder
from tests.virtual_clock import run_virtual

ANSWERS = (
    ApprovedAnswer(("what are your opening hours", "when are you open"), "Nine to five."),
    ApprovedAnswer(("where can I park my car",), "Behind the house."),
)


def found(text: str, answers=ANSWERS, certainty: Certainty | None = None):
    async def find():
        book = await AnswerBook.open(FakeEmbedder(), answers)
        return await book.find(text, certainty or Certainty())

    return run_virtual(find())


def test_the_same_question_gets_its_answer():
    (match,) = found("what are your opening hours")
    assert match.answer == "Nine to five."
    assert match.similarity > 0.99


def test_a_question_wrapped_in_courtesies_is_found():
    (match,) = found("Good morning to you, this is Ann Smith. Where can I park my car?")
    assert match.answer == "Behind the house."


def test_two_questions_get_both_answers_in_their_order():
    matches = found("Where can I park my car? And what are your opening hours?")
    assert [match.answer for match in matches] == ["Behind the house.", "Nine to five."]


def test_one_question_asked_twice_gets_one_answer():
    assert len(found("When are you open? I said when are you open?")) == 1


def test_an_unrelated_question_gets_none():
    assert found("do elephants dream of bananas") == ()


def test_a_question_between_two_answers_gets_none():
    twins = (ApprovedAnswer(("price of a blue cup",), "One."), ApprovedAnswer(("price of a red cup",), "Two."))
    assert found("price of a cup", twins) == ()


def test_two_wordings_of_one_answer_do_not_compete():
    twin = (ApprovedAnswer(("price of a blue cup", "price of a red cup"), "One."),)
    assert [match.answer for match in found("price of a cup", twin)] == ["One."]


def test_an_agent_without_answers_finds_none():
    assert found("anything", ()) == ()
