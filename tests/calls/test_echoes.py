"""The agent's own voice on the caller's line: it neither silences the agent, nor becomes words, nor is answered."""

from __future__ import annotations

import pytest

from orchestrator.calls.setup import SessionSettings
from orchestrator.core.agent import Agent
from orchestrator.core.errors import EngineError
from orchestrator.core.turn import Mark
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeLanguageModel

GREETING = "Good morning and thank you for calling our office."
LONG = "Let me tell you the whole story from the beginning. It is a long one with many words in it. And it goes on."


def story(*says: Says, echo: float | None = 0.3, **scene: object) -> Scene:
    """A call in which the agent tells a long story when it is asked to, and says "Yes." to anything else."""
    agent = Agent(name="demo", numbers=("demo",), greeting=GREETING, persona="You answer the phone.")
    says = (Says("tell me", 7.0), *says)
    call = Scene(agent=agent, says=says, echo=echo, hangs_up=24.0, **scene)  # type: ignore[arg-type]
    call.llm = FakeLanguageModel(answer=lambda messages: LONG if messages[-1].content == "tell me" else "Yes.")
    return call


def asked(question: str, *says: Says, echo: float | None = None) -> Scene:
    """A call in which the agent asks *question* at once."""
    agent = Agent(name="demo", numbers=("demo",), greeting=question, persona="You answer the phone.")
    call = Scene(agent=agent, says=says, echo=echo, hangs_up=9.0)
    call.llm = FakeLanguageModel(answer=lambda messages: "Yes.")
    return call


def callers(call: Scene) -> list[str]:
    return [text for speaker, text in call.lines if speaker == "caller"]


def agents(call: Scene) -> str:
    return " ".join(text for speaker, text in call.lines if speaker == "agent")


@pytest.mark.parametrize("delay", [0.06, 0.2, 0.4, 0.67, 1.0])
def test_an_echo_is_no_turn_and_the_story_is_told(delay):
    call = story(echo=delay).run()
    assert callers(call) == ["tell me"]
    assert agents(call).endswith("many words in it. And it goes on.")
    assert len(call.events("echo")) > 0


def test_a_call_that_has_echoed_is_not_cut_by_the_next_echo():
    call = story(echo=0.3).run()
    assert [event.payload["turn"] for event in call.events("barge_in")] == [0, 1]  # the greeting and its rest


def test_nothing_of_an_echo_reaches_the_model():
    call = story(Says("and then", 22.0), echo=0.3).run()
    said = [message.content for message in call.llm.requests[-1] if message.role == "user"]
    assert said == ["tell me", "and then"]


def test_no_reply_to_an_echo_is_begun():
    call = story(echo=0.3, settings=SessionSettings(speculate=True)).run()
    assert {request[-1].content for request in call.llm.requests} == {"tell me"}


def test_a_filler_that_comes_back_does_not_hold_the_reply_up():
    call = story(echo=0.3)
    call.llm.first_token = 3.5
    call.run()
    assert len(call.events("filler")) == 1
    assert callers(call) == ["tell me"]
    assert "Let me tell you" in agents(call)


def test_the_caller_still_interrupts_where_the_agent_comes_back():
    call = story(Says("please stop it now", 13.0), echo=0.3).run()
    assert callers(call) == ["tell me", "please stop it now"]
    assert call.turns_kept[-1].heard_text == "Yes."
    (cut,) = [turn for turn in call.turns_kept if turn.reply_text == LONG]
    assert 13.0 <= cut.marks[Mark.INTERRUPTED] < cut.marks[Mark.SILENCED] < 15.5


def test_the_words_of_the_greeting_said_over_it_leave_the_agent_as_quick_to_stop():
    call = story(Says("Good morning", 0.2), Says("stop please", 13.0), echo=None).run()
    (greeted,) = call.events("echo")
    assert greeted.payload["words"] == 2
    (cut,) = [turn for turn in call.turns_kept if turn.reply_text == LONG]
    assert 13.0 <= cut.marks[Mark.SILENCED] < 13.3


def test_an_answer_over_the_question_is_heard_where_the_agent_comes_back():
    call = story(Says("Tuesday", 14.9), echo=0.3)
    ask = "We have a place on Monday and on Thursday and on Friday and on Saturday, or which day would you like better?"
    call.llm.answer = lambda messages: ask if messages[-1].content == "tell me" else "Yes."
    call.run()
    assert callers(call) == ["tell me", "Tuesday"]


def test_an_echo_that_is_not_recognised_is_no_failure():
    call = story(echo=0.3)

    def hear(window):
        if window.end > 12.0:
            raise EngineError("stt", "no words")
        return call.lexicon.hear(window)

    call.recognizer.hear = hear
    call.run()
    assert len(call.events("engine_failed")) > 0
    assert callers(call) == ["tell me"]
    assert agents(call).endswith("many words in it. And it goes on.")


def test_words_behind_an_echo_are_the_callers_own():
    call = story(Says("what happens next then", 16.35), echo=0.3).run()
    assert callers(call)[1:] == ["what happens next then"]


@pytest.mark.parametrize("pause", [0.15, 0.4, 1.0])
@pytest.mark.parametrize("question", ["Is it Tuesday at three?", "Tuesday at three?", "Tuesday?"])
def test_who_repeats_what_the_agent_has_said_is_heard(question, pause):
    ended = 0.3 * len(question.split())
    answer = "Tuesday at three" if "three" in question else "Tuesday"
    call = asked(question, Says(answer, ended + pause)).run()
    assert callers(call) == [answer]
    assert call.events("echo") == []


def test_a_word_of_the_agents_that_is_said_over_it_is_the_callers():
    call = asked("We have Monday and Tuesday and Wednesday and Friday free", Says("Tuesday", 1.8)).run()
    assert callers(call) == ["Tuesday"]


def test_the_callers_own_words_over_the_agent_are_untouched():
    call = story(Says("stop please", 12.0), echo=None).run()
    assert callers(call) == ["tell me", "stop please"]
    assert call.events("echo") == []
