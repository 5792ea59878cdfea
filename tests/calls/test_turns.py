"""Turns of a call, from what the caller says to what they hear."""

from __future__ import annotations

import pytest

from orchestrator.core.agent import Agent, ApprovedAnswer
from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.events import EndReason
from orchestrator.core.ports import Dtmf
from orchestrator.core.turn import AnswerKind, Mark
from tests.calls.scene import HOURS, Says, Scene
from tests.fakes.engines import FakeLanguageModel, FakeTurnDetector
from tests.fakes.speech import Lexicon


def test_the_greeting_is_the_first_thing_that_a_caller_hears():
    call = Scene(hangs_up=2.0).run()
    assert call.heard_between(0.0, 2.0) == "Hello there."
    assert call.turns_kept[0].answer is AnswerKind.GREETING
    assert call.reason is EndReason.CALLER_HANGUP


def test_the_language_model_answers_what_the_caller_said():
    call = Scene(says=[Says("can you help me", 2.0)], hangs_up=8.0).run()
    turn = call.turns_kept[1]
    assert turn.caller_text == "can you help me"
    assert turn.reply_text == turn.heard_text == "You said can you help me"
    assert turn.answer is AnswerKind.LLM
    assert call.lines == [
        ("agent", "Hello there."),
        ("caller", "can you help me"),
        ("agent", "You said can you help me"),
    ]


def test_an_approved_answer_is_spoken_without_the_language_model():
    call = Scene(says=[Says("what are your opening hours", 2.0)], hangs_up=8.0).run()
    assert call.turns_kept[1].answer is AnswerKind.APPROVED
    assert call.turns_kept[1].heard_text == "We open at nine every day."
    assert call.llm.requests == []


def test_the_language_model_sees_the_conversation_so_far():
    call = Scene(says=[Says("first thing", 2.0), Says("second thing", 6.0)], hangs_up=10.0).run()
    seen = [(message.role, message.content) for message in call.llm.requests[-1][1:]]
    assert seen == [
        ("assistant", "Hello there."),
        ("user", "first thing"),
        ("assistant", "You said first thing"),
        ("user", "second thing"),
    ]


def test_a_turn_is_stamped_on_the_media_clock():
    call = Scene(says=[Says("can you help me", 2.0)], hangs_up=8.0).run()
    turn = call.turns_kept[1]
    spoken_until = 2.0 + 4 * 0.3 - 0.02
    assert turn.marks[Mark.SPEECH_STARTED] == pytest.approx(2.0, abs=0.04)
    assert turn.marks[Mark.SPEECH_ENDED] == pytest.approx(spoken_until, abs=0.011)
    first_heard = next(at for at in range(3000, 8000) if call.heard_between(3.0, at / 1000)) / 1000
    assert turn.marks[Mark.REPLY_STARTED] == pytest.approx(first_heard, abs=0.002)
    assert turn.spans()["voice_to_voice"] == pytest.approx(first_heard - spoken_until, abs=0.02)
    of_the_caller = [Mark.SPEECH_STARTED, Mark.SPEECH_ENDED, Mark.PAUSE_FOUND, Mark.TRANSCRIBED, Mark.TURN_ENDED]
    of_the_reply = [Mark.TRANSCRIBED, Mark.LLM_STARTED, Mark.FIRST_TOKEN, Mark.FIRST_SENTENCE, Mark.FIRST_AUDIO]
    for order in (of_the_caller, [*of_the_reply, Mark.QUEUED, Mark.REPLY_STARTED, Mark.REPLY_ENDED]):
        assert [turn.marks[mark] for mark in order] == sorted(turn.marks[mark] for mark in order)


def test_states_follow_the_turn():
    call = Scene(says=[Says("can you help me", 2.0)], hangs_up=8.0).run()
    assert call.states == ["greeting", "listen", "process", "respond", "listen", "end"]


def test_a_pause_in_an_unfinished_sentence_does_not_end_the_turn():
    llm = FakeLanguageModel(ends=lambda text: 0.01 if text.endswith("is") else 0.5)
    call = Scene(says=[Says("my number is", 2.0), Says("five five two", 3.6)], llm=llm, hangs_up=10.0).run()
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["my number is five five two"]


def test_words_after_a_finished_sentence_but_before_any_reply_join_the_same_turn():
    call = Scene(says=[Says("can you help me", 2.0), Says("with my bill", 3.66)], hangs_up=10.0)
    call.llm = FakeLanguageModel(first_token=1.0)
    call.run()
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["can you help me with my bill"]
    assert call.llm.requests[-1][-1].content == "can you help me with my bill"


def test_noise_without_words_is_no_turn():
    scene = Scene(says=[Says("hm", 2.0)], hangs_up=6.0)
    scene.recognizer.hear = lambda window: ""
    call = scene.run()
    assert len(call.turns_kept) == 1
    assert call.llm.requests == []


def test_noise_while_the_agent_thinks_does_not_lose_the_question():
    scene = Scene(says=[Says("can you help me", 2.0), Says("hm", 3.7)], hangs_up=10.0)
    scene.llm = FakeLanguageModel(first_token=1.0)
    scene.recognizer.hear = lambda window: scene.lexicon.hear(window).replace("hm", "").strip()
    call = scene.run()
    assert [turn.caller_text for turn in call.turns_kept[1:]] == ["can you help me"]
    assert call.turns_kept[1].heard_text == "You said can you help me"


def test_keys_are_events():
    call = Scene(keys=[Dtmf("5", 1.0)], hangs_up=2.0).run()
    assert [event.payload["digit"] for event in call.events("dtmf")] == ["5"]


def test_partial_words_are_reported_while_the_caller_speaks():
    call = Scene(says=[Says("one two three four five six seven eight nine ten", 2.0)], hangs_up=8.0).run()
    partials = call.events("partial")
    assert len(partials) >= 2
    assert all(event.at < 5.2 for event in partials)


def test_a_model_that_fails_is_apologised_for():
    scene = Scene(says=[Says("can you help me", 2.0)], hangs_up=10.0)
    scene.llm.failure = EngineUnavailable("llm", "gone")
    call = scene.run()
    turn = call.turns_kept[1]
    assert turn.answer is AnswerKind.FALLBACK
    assert turn.heard_text == call.agent.phrases.trouble
    assert turn.caller_text == "can you help me"


def test_a_recogniser_that_fails_is_apologised_for():
    scene = Scene(says=[Says("can you help me", 2.0)], hangs_up=10.0)
    scene.recognizer.failure = EngineUnavailable("stt", "gone")
    assert scene.run().turns_kept[1].heard_text == scene.agent.phrases.trouble


def test_a_voice_that_fails_still_apologises_with_audio_rendered_ahead():
    def break_the_voice(scene: Scene) -> None:
        scene.tts.failure = EngineUnavailable("tts", "gone")

    call = Scene(says=[Says("can you help me", 2.0)], before=break_the_voice, hangs_up=10.0).run()
    assert call.turns_kept[1].heard_text == call.agent.phrases.trouble


def test_after_three_failures_the_agent_says_goodbye_and_hangs_up():
    scene = Scene(says=[Says("can you help me", at) for at in (2.0, 10.0, 18.0)], hangs_up=60.0)
    scene.llm.failure = EngineUnavailable("llm", "gone")
    call = scene.run()
    assert call.reason is EndReason.ENGINE_FAILED
    assert call.turns_kept[-1].heard_text == call.agent.phrases.goodbye
    assert call.leg.hung_up
    assert call.heard.duration < 40.0


def test_a_working_answer_resets_the_count_of_failures():
    def answer(messages):
        if "fail" in messages[-1].content:
            raise EngineUnavailable("llm", "gone")
        return "Fine."

    says = [Says(text, 2.0 + 8 * i) for i, text in enumerate(["fail now", "fail now", "work now", "fail now"])]
    scene = Scene(says=says, hangs_up=50.0)
    scene.llm = FakeLanguageModel(answer=answer)
    assert scene.run().reason is EndReason.CALLER_HANGUP


def test_a_reply_stops_after_three_sentences():
    scene = Scene(says=[Says("tell me everything", 2.0)], hangs_up=20.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "One is here. Two is here. Three is here. Four is here.")
    call = scene.run()
    assert call.turns_kept[1].heard_text == "One is here. Two is here. Three is here."
    assert call.llm.closed == 1


def test_a_model_that_repeats_itself_is_cut_off():
    scene = Scene(says=[Says("tell me everything", 2.0)], hangs_up=20.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "I am happy. " * 20)
    assert scene.run().turns_kept[1].heard_text == "I am happy."


def test_a_turn_detector_that_hangs_leaves_the_end_of_turn_to_silence():
    turns = FakeTurnDetector(delay=60.0)
    call = Scene(says=[Says("can you help me", 2.0)], turns=turns, hangs_up=8.0).run()
    assert call.turns_kept[1].heard_text == "You said can you help me"
    assert call.turns_kept[1].spans()["endpointing"] < 1.5


def test_a_recogniser_that_is_away_while_the_caller_speaks_costs_one_turn():
    def break_the_ear(scene: Scene) -> None:
        scene.recognizer.failure = EngineUnavailable("stt", "gone")

    long = " ".join(f"w{i}" for i in range(130))  # 39 s
    scene = Scene(says=[Says(long, 2.0)], before=break_the_ear, hangs_up=60.0)
    call = scene.run()
    assert call.reason is EndReason.CALLER_HANGUP
    assert call.turns_kept[1].heard_text == call.agent.phrases.trouble


def test_a_long_utterance_is_transcribed_once():
    words = [f"w{i}" for i in range(110)]  # 33 s
    scene = Scene(says=[Says(" ".join(words), 2.0)], lexicon=Lexicon(gap=0.12), hangs_up=50.0)
    scene.recognizer.delay = 1.3
    said = scene.run().turns_kept[1].caller_text.split()
    assert said == words


def test_what_was_heard_before_a_gap_is_shown_when_the_caller_goes_on():
    scene = Scene(says=[Says("my order", 2.0), Says("has not come", 2.75)], hangs_up=9.0).run()
    first = next(event.payload for event in scene.events("partial"))
    assert first == {"stable": "", "unstable": "my order"}
    assert scene.turns_kept[1].caller_text == "my order has not come"


def test_a_recogniser_that_hangs_is_apologised_for():
    scene = Scene(says=[Says("hello anybody", 2.0 + 10 * i) for i in range(3)], hangs_up=45.0)
    scene.recognizer.delay = 1000.0
    call = scene.run()
    assert call.agent.phrases.trouble.startswith(call.turns_kept[1].heard_text)
    assert call.turns_kept[1].marks[Mark.REPLY_STARTED] < 12.0


def test_a_model_that_hangs_is_apologised_for_though_the_caller_keeps_asking():
    scene = Scene(says=[Says("can you help me", 2.0), *(Says("hello", 6.0 + 3 * i) for i in range(8))], hangs_up=40.0)
    scene.llm = FakeLanguageModel(first_token=1000.0)
    call = scene.run()
    first_words = next(turn for turn in call.turns_kept[1:] if turn.answer is AnswerKind.FALLBACK)
    assert first_words.heard_text == call.agent.phrases.trouble[: len(first_words.heard_text)]
    assert first_words.marks[Mark.REPLY_STARTED] < 14.0


def test_an_engine_that_fails_in_mid_reply_leaves_what_was_said_heard_and_kept():
    scene = Scene(says=[Says("tell me", 2.0)], hangs_up=20.0)
    scene.llm = FakeLanguageModel(
        answer=lambda messages: "One two three four. Five six seven.",
        failure=EngineUnavailable("llm", "gone"),
        fails_after=6,
    )
    call = scene.run()
    assert call.turns_kept[1].heard_text == "One two three four."
    assert call.turns_kept[2].heard_text == call.agent.phrases.trouble


def test_an_empty_reply_is_apologised_for_and_told():
    scene = Scene(says=[Says("tell me", 2.0)], hangs_up=12.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: "")
    call = scene.run()
    assert call.turns_kept[1].heard_text == call.agent.phrases.trouble
    assert [event.payload["error"] for event in call.events("engine_failed")] == ["BadOutput"]


def test_what_a_caller_says_before_hanging_up_is_kept():
    call = Scene(says=[Says("please cancel my contract", 2.0)], hangs_up=3.25).run()
    assert call.turns_kept[1].caller_text == "please cancel my contract"
    assert call.lines[-1] == ("caller", "please cancel my contract")
    assert call.llm.requests == []


def test_a_question_whose_reply_was_never_heard_is_kept():
    scene = Scene(says=[Says("please cancel my contract", 2.0), Says("bye", 4.0)], hangs_up=4.3)
    scene.llm = FakeLanguageModel(first_token=5.0)
    call = scene.run()
    assert call.turns_kept[-1].caller_text == "please cancel my contract bye"


def test_two_approved_questions_in_one_turn_get_both_answers():
    both = (HOURS, ApprovedAnswer(("where can I park",), "Behind the house."))
    agent = Agent(name="demo", numbers=("demo",), greeting="Hello there.", persona="You help.", answers=both)
    call = Scene(agent=agent, says=[Says("where can I park? when are you open?", 2.0)], hangs_up=14.0).run()
    assert call.turns_kept[1].heard_text == "Behind the house. We open at nine every day."


def test_failures_count_in_a_row_even_when_good_replies_are_interrupted():
    def answer(messages):
        if "fail" in messages[-1].content:
            raise EngineUnavailable("llm", "gone")
        return "One two three four five six seven eight nine ten."

    says = [
        line
        for i in range(4)
        for line in (Says("fail now", 2.0 + 20 * i), Says("work", 10.0 + 20 * i), Says("oh", 14.0 + 20 * i))
    ]
    scene = Scene(says=says, hangs_up=90.0)
    scene.llm = FakeLanguageModel(answer=answer)
    assert scene.run().reason is EndReason.CALLER_HANGUP
