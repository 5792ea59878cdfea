"""A phone that is not ours calls the machine, and hears a greeting and the answer to what it said."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import jiwer
import numpy as np
import pytest
import soxr

from benchmarks.human_speech import Recorded
from benchmarks.sound_files import read_wav
from benchmarks.system import System
from benchmarks.wer import normalized
from orchestrator.agents import read_agent
from orchestrator.core.audio import Pcm
from tests.e2e.conftest import AGENTS, PASSWORDS, Transcriber
from tests.e2e.peers import Account, Baresip, Kamailio

AGENT = read_agent(AGENTS / "front-desk.toml")
QUESTION = "prompt/followme/sorry"
ANSWER = AGENT.answers[0].answer
ASKED_AT = 8.0
REPLY_WITHIN = 14.0


@dataclass(frozen=True)
class Codec:
    """name: as baresip's accounts want it; rate: Hz of its audio."""

    name: str
    rate: int


PCMU, G722 = Codec("PCMU/8000", 8000), Codec("G722/16000", 16000)


def speech_file(path: Path, question: Recorded, rate: int) -> Path:
    """A recording with the question eight seconds in, and silence to hear the reply in."""
    pcm = soxr.resample(read_wav(question.path).astype(np.float32), 16000, rate).astype("<i2")
    padded = np.concatenate([np.zeros(round(ASKED_AT * rate)), pcm, np.zeros(round(REPLY_WITHIN * rate))])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(padded.astype("<i2").tobytes())
    return path


def heard_by(phone: Baresip) -> tuple[Pcm, int]:
    """What it recorded, and the rate in Hz."""
    with wave.open(str(phone.heard), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), file.getframerate()


def word_errors(said: str, heard: str) -> float:
    return float(jiwer.wer(normalized(said), normalized(heard)))


@pytest.mark.parametrize("codec", [PCMU, G722], ids=["PCMU", "G722"])
@pytest.mark.parametrize("route", ["direct", "registered"])
def test_a_phone_hears_the_greeting_and_the_answer_to_what_a_person_said(
    offhook: System,
    kamailio: Kamailio,
    human: dict[str, Recorded],
    transcribed: Transcriber,
    tmp_path: Path,
    codec: Codec,
    route: str,
) -> None:
    registered = route == "registered"
    caller = "visitor" if registered else f"guest-{codec.rate}"
    account = Account(caller, codec.name, PASSWORDS["visitor"], kamailio.port if registered else None)
    speech = speech_file(tmp_path / "question.wav", human[QUESTION], codec.rate)
    if registered:
        kamailio.wait_registered("desk")
    before = {call["id"] for call in offhook.calls()}

    with Baresip.running(tmp_path / "baresip", account, speech, codec.rate) as phone:
        if registered:
            kamailio.wait_registered("visitor")
        phone.dial(f"sip:desk@127.0.0.1:{kamailio.port}" if registered else offhook.uri("demo"))
        phone.wait_for("CALL_ESTABLISHED", 15)
        phone.wait_for("CALL_CLOSED", 60)
        pcm, rate = heard_by(phone)

    asked = round(ASKED_AT * rate)
    assert word_errors(AGENT.greeting, transcribed(pcm[:asked], rate)) <= 0.3
    assert word_errors(ANSWER, transcribed(pcm[asked:], rate)) <= 0.3

    stored = offhook.call_from(caller, besides=before)
    turn = next(turn for turn in stored["turns"] if turn["caller_text"])
    assert word_errors(human[QUESTION].text, turn["caller_text"]) <= 0.3
    assert turn["answer"] == "approved"
    assert turn["heard_text"] == ANSWER
    assert stored["transcript"][0]["text"] == AGENT.greeting
    assert stored["recorded"] and stored["consent"] is None
