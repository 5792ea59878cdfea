from __future__ import annotations

import contextlib
import json
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import LegError
from telephony.leg.frame import CallerAudio, decode_caller_audio
from telephony.leg.messages import (
    Accept,
    Answered,
    Clear,
    Cleared,
    Command,
    Drained,
    Failed,
    HangUp,
    HungUp,
    Invite,
    KeyPressed,
    Playing,
    Record,
    RecordingBegan,
    Reject,
    Report,
    RtpStats,
    Transfer,
    decode_command,
    decode_report,
)

REPORTS: list[Report] = [
    Invite(call_id=UUID(int=7), direction="inbound", caller="+331", callee="demo", gateway="sip-0", trunk="carrier"),
    Answered(rate=16000, codec="PCMU"),
    KeyPressed(digit="#", at=16000),
    Playing(at=320, index=0),
    Drained(at=640, index=320),
    Cleared(id=3, played=12345),
    RecordingBegan(at=320),
    HungUp(by="caller", reason="bye", stats=RtpStats(received=50, lost=1, jitter=0.002)),
    Failed(command="transfer", status=603, reason="Decline"),
]
COMMANDS: list[Command] = [
    Accept(),
    Record(account=UUID(int=1), key=bytes(range(224, 256))),
    Reject(status=404, reason="Not Found"),
    Clear(id=1),
    Transfer(target="sip:human@example.com"),
    HangUp(),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.type)
def test_every_report_survives_the_wire(report: Report) -> None:
    assert decode_report(report.encode()) == report


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.type)
def test_every_command_survives_the_wire(command: Command) -> None:
    assert decode_command(command.encode()) == command


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"type": "surprise"}',
        '{"type": "cleared", "id": 1, "played": -1}',
        '{"type": "cleared", "id": 1, "played": 1, "more": 1}',
        '{"type": "dtmf", "digit": "12", "at": 0}',
        '{"type": "dtmf", "digit": "E", "at": 0}',
        '{"type": "answered", "rate": 1, "codec": "PCMU"}',
        '{"type": "failed", "command": "dial", "status": 200, "reason": "OK"}',
        '{"type": "accept", "record": true}',
    ],
)
def test_a_bad_report_is_a_leg_error_that_names_the_field(text: str) -> None:
    with pytest.raises(LegError, match="bad leg message: "):
        decode_report(text)


@given(st.text())
def test_no_text_crashes_the_decoder(text: str) -> None:
    with contextlib.suppress(LegError):
        decode_command(text)


def test_a_key_of_another_length_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(LegError, match="key"):
        decode_command(json.dumps({"type": "record", "account": str(UUID(int=1)), "key": "c2hvcnQ="}))
    assert "e1e2" not in repr(Record(account=UUID(int=1), key=b"e1e2" * 8))


def test_caller_audio_survives_the_wire() -> None:
    audio = CallerAudio(at=2**40, now=2**40 + 320, played=77, pcm=np.array([-32768, 0, 32767], dtype=np.int16))
    decoded = decode_caller_audio(audio.encode())
    assert (decoded.at, decoded.now, decoded.played) == (audio.at, audio.now, audio.played)
    assert decoded.pcm.tolist() == [-32768, 0, 32767]


@pytest.mark.parametrize("data", [b"", b"\0" * 23, b"\0" * 25])
def test_audio_without_a_whole_header_and_samples_is_a_leg_error(data: bytes) -> None:
    with pytest.raises(LegError, match="bad leg audio"):
        decode_caller_audio(data)
