"""Our own caller against a whole Offhook: transports, codecs, digest, keys, and what it says when it is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from benchmarks.caller import measured_call
from benchmarks.conversation import Line, Manners
from benchmarks.human_speech import Recorded
from benchmarks.sound_files import read_wav
from benchmarks.system import System
from orchestrator.core.errors import CarrierRejected
from telephony.sip.caller import Credentials, Dialling, Phone
from tests.e2e.conftest import PASSWORDS
from tests.e2e.peers import Kamailio

MANNERS = Manners(quiet=1.5)


@pytest.fixture
def question(human: dict[str, Recorded]) -> Line:
    recorded = human["prompt/followme/sorry"]
    return Line(recorded.name, read_wav(recorded.path), recorded.text)


def test_a_call_over_tcp_with_a_law_is_measured(offhook: System, phone: Phone, question: Line) -> None:
    dialling = Dialling(offhook.uri("demo"), caller="tcp-caller", codec="PCMA", transport="tcp")
    call = measured_call(phone, dialling, [question], MANNERS)
    assert call.succeeded
    assert call.placed.codec == "PCMA"
    assert call.greeting
    sound = call.turns[0].sound
    assert sound
    assert sound.voice_to_voice
    assert 0.2 < sound.voice_to_voice < 8.0


def test_the_caller_answers_a_digest_challenge(
    offhook: System, kamailio: Kamailio, phone: Phone, question: Line
) -> None:
    kamailio.wait_registered("desk")
    known = Credentials("visitor", PASSWORDS["visitor"])
    dialling = Dialling(f"sip:desk@127.0.0.1:{kamailio.port}", caller="visitor", credentials=known)
    assert measured_call(phone, dialling, [question], MANNERS).succeeded


def test_a_caller_without_a_password_is_told_the_proxys_answer(
    kamailio: Kamailio, phone: Phone, question: Line
) -> None:
    with pytest.raises(CarrierRejected) as refused:
        measured_call(phone, Dialling(f"sip:desk@127.0.0.1:{kamailio.port}"), [question], MANNERS)
    assert refused.value.status == 407


def test_an_unknown_number_is_refused_with_its_sip_status(offhook: System, phone: Phone, question: Line) -> None:
    with pytest.raises(CarrierRejected) as refused:
        measured_call(phone, Dialling(offhook.uri("nobody")), [question], MANNERS)
    assert refused.value.status == 404


def test_keys_reach_the_agent(offhook: System, phone: Phone) -> None:
    keys = Line("keys", np.zeros(0, dtype=np.int16), keys="12#")
    measured_call(phone, Dialling(offhook.uri("demo"), caller="key-presser"), [keys], Manners(quiet=1.0, reply=3.0))
    events = offhook.call_from("key-presser")["events"]
    assert [event["payload"]["digit"] for event in events if event["type"] == "dtmf"] == ["1", "2", "#"]


def test_the_command_says_why_a_call_failed(offhook: System, human: dict[str, Recorded]) -> None:
    command = [sys.executable, "-m", "orchestrator", "call", offhook.uri("nobody")]
    command += ["--wav", str(human["cards/001"].path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "404" in done.stdout
