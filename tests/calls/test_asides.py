"""A caller who listens along, coughs or agrees while the agent speaks does not take the turn."""

from __future__ import annotations

from orchestrator.calls.setup import SessionSettings
from orchestrator.core.errors import EngineUnavailable
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeInterjections, FakeLanguageModel

LONG = "Let me tell you the whole story from the beginning. It is a long one with many words in it. And it goes on."


def aside() -> FakeInterjections:
    return FakeInterjections(judge=lambda sound: 0.1)


def over_a_story(said: str, interjections: FakeInterjections, story: str = LONG, at: float = 6.0) -> Scene:
    scene = Scene(says=[Says("tell me", 2.0), Says(said, at)], interjections=interjections, hangs_up=19.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: story if "tell" in messages[-1].content else "Yes.")
    return scene


def test_the_sentence_is_resumed_where_it_was_cut():
    call = over_a_story("uh-huh", aside()).run()
    spoken = " ".join(text for speaker, text in call.lines[2:] if speaker == "agent")
    assert spoken == "Let me tell you the whole story from the beginning. It is a long one with many words in it."
    assert [event.payload["turn"] for event in call.events("aside")] == [1]
    assert len(call.events("resumed")) == 1


def test_an_aside_is_no_turn():
    scene = over_a_story("uh-huh", aside())
    scene.settings = SessionSettings(speculate=False)
    call = scene.run()
    assert [turn.caller_text for turn in call.turns_kept if turn.caller_text] == ["tell me"]
    assert len(call.llm.requests) == 1
    assert "Yes." not in [turn.heard_text for turn in call.turns_kept]


def test_the_model_remembers_the_reply_as_one():
    scene = over_a_story("uh-huh", aside())
    scene.says = [*scene.says, Says("and then", 15.0)]
    call = scene.run()
    told = [message.content for message in call.llm.requests[-1] if message.role == "assistant"]
    assert len(told) == 2
    assert LONG.startswith(told[1])


def test_an_interruption_is_answered():
    call = over_a_story("stop please", FakeInterjections(judge=lambda sound: 0.9)).run()
    assert call.turns_kept[2].caller_text == "stop please"
    assert call.turns_kept[2].heard_text == "Yes."


def test_a_yes_to_a_question_is_its_answer():
    story = "Do you want me to tell you the whole long story with all of its many many words right now?"
    call = over_a_story("yes", aside(), story, at=7.0).run()
    assert call.turns_kept[2].caller_text == "yes"
    assert call.events("aside") == []


def test_a_command_is_an_interruption_however_it_sounds():
    call = over_a_story("wait", aside()).run()
    assert call.turns_kept[2].caller_text == "wait"
    assert call.events("aside") == []


def test_many_words_are_never_an_aside():
    call = over_a_story("I would rather hear about something else", aside()).run()
    assert call.turns_kept[2].caller_text == "I would rather hear about something else"
    assert call.interjections.requests == []


def test_what_cannot_be_judged_is_an_interruption():
    broken = FakeInterjections(failure=EngineUnavailable("interjections", "gone"))
    call = over_a_story("uh-huh", broken).run()
    assert call.turns_kept[2].caller_text == "uh-huh"
