"""The voice reads the spoken form; everything that is kept has the written one."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.agent import ApprovedAnswer
from tests.calls.scene import AGENT, Says, Scene
from tests.fakes.engines import FakeLanguageModel

CLINIC = replace(
    AGENT,
    greeting="Hello, Dr. Nguyen's.",
    answers=(ApprovedAnswer(("what are your opening hours",), "We open at 9:00."),),
    pronunciations={"Nguyen": "win"},
)


def test_a_reply_is_read_in_words_and_kept_as_written():
    scene = Scene(agent=CLINIC, says=[Says("can you help me", 3.0)], hangs_up=12.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "Come at 2:30 pm for $80.")
    call = scene.run()
    turn = call.turns_kept[1]
    assert "Come at two thirty p.m. for eighty dollars." in call.tts.requests
    assert turn.reply_text == turn.heard_text == "Come at 2:30 pm for $80."
    assert call.lines[-1] == ("agent", "Come at 2:30 pm for $80.")


def test_phrases_are_rendered_in_words_and_found_by_what_is_written():
    call = Scene(agent=CLINIC, says=[Says("what are your opening hours", 3.0)], hangs_up=10.0).run()
    assert call.tts.requests[0] == "Hello, Doctor Win's."
    assert call.tts.requests.count("We open at nine o'clock.") == 1
    assert call.turns_kept[1].heard_text == "We open at 9:00."
    assert "We open at nine o'clock." in call.heard_between(3.0, 10.0)
