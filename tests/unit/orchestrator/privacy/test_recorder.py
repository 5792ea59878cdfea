"""What a recorder is given of a call whose words are masked."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from orchestrator.core.events import (
    FIRST_ACCOUNT,
    CallStarted,
    Happened,
    Record,
    RecordingStarted,
    Spoken,
    TurnFinished,
)
from orchestrator.core.privacy import Masking, MaskingPolicy
from orchestrator.core.turn import Turn
from orchestrator.privacy.recorder import MaskingRecorder
from orchestrator.telemetry.record_lines import from_line, to_line
from tests.fakes.records import small_call, started

CARD = "4111 1111 1111 1111"


class Listing:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def record(self, record: Record) -> None:
        self.records.append(record)


def recorded(records: list[Record], words: Masking, *, recordings: bool = False) -> list[Record]:
    listing = Listing()
    recorder = MaskingRecorder(listing, {FIRST_ACCOUNT: MaskingPolicy(words, recordings)}.__getitem__)
    for record in records:
        recorder.record(record)
    return listing.records


def test_without_a_policy_a_call_is_kept_word_for_word() -> None:
    call = small_call()
    assert recorded(call, Masking.NONE) == call


def test_lines_turns_and_events_are_masked() -> None:
    call = uuid4()
    turn = Turn(1, f"it is {CARD}", f"I read {CARD}.", f"I read {CARD}.")
    said: list[Record] = [
        started(call),
        Happened(call, 0, "refused", 0.0, {"reason": f"no {CARD}", "status": 404}),
        Spoken(call, 1, "caller", f"it is {CARD}", 1.0, 2.0),
        TurnFinished(call, turn),
    ]
    kept = recorded(said, Masking.NUMBERS)
    assert kept[1:] == [
        Happened(call, 0, "refused", 0.0, {"reason": "no [card]", "status": 404}),
        Spoken(call, 1, "caller", "it is [card]", 1.0, 2.0),
        TurnFinished(call, Turn(1, "it is [card]", "I read [card].", "I read [card].")),
    ]
    assert turn.caller_text == f"it is {CARD}"


def test_words_that_are_still_being_spoken_are_counted_alone() -> None:
    call = uuid4()
    partial = Happened(call, 0, "partial", 1.0, {"stable": "it is 41 11", "unstable": "11"})
    assert recorded([started(call), partial], Masking.NUMBERS)[1] == replace(partial, payload={"words": 5})
    assert recorded([started(call), partial], Masking.NONE)[1] == partial


def test_keys_that_a_caller_presses_are_masked() -> None:
    call = uuid4()
    pressed = Happened(call, 0, "dtmf", 1.0, {"digit": "4"})
    assert recorded([started(call), pressed], Masking.NUMBERS)[1] == replace(pressed, payload={"digit": "[number]"})


def test_an_agent_may_ask_for_more_than_its_account() -> None:
    call = uuid4()
    strict = replace(started(call), masking=Masking.ALL)
    line = Spoken(call, 0, "caller", "my name is Jane", 0.0, 1.0)
    begun, kept = recorded([strict, line], Masking.NUMBERS)
    assert isinstance(begun, CallStarted)
    assert begun.masking is Masking.ALL
    assert kept == replace(line, text="my name is [name]")
    lax = replace(strict, masking=Masking.NONE)
    assert recorded([lax, line], Masking.NUMBERS)[0] == replace(lax, masking=Masking.NUMBERS)


def test_a_call_keeps_the_policy_that_it_began_with() -> None:
    call, policy = uuid4(), {FIRST_ACCOUNT: MaskingPolicy(Masking.ALL)}
    listing = Listing()
    recorder = MaskingRecorder(listing, policy.__getitem__)
    recorder.record(started(call))
    policy[FIRST_ACCOUNT] = MaskingPolicy()
    recorder.record(Spoken(call, 0, "caller", CARD, 0.0, 1.0))
    assert listing.records[1] == Spoken(call, 0, "caller", "[card]", 0.0, 1.0)


def test_what_belongs_to_no_known_call_is_masked() -> None:
    line = Spoken(UUID(int=9), 0, "caller", CARD, 0.0, 1.0)
    assert recorded([line], Masking.NONE) == [replace(line, text="[card]")]


def test_the_policy_of_a_call_survives_the_spool() -> None:
    strict = replace(started(uuid4()), masking=Masking.ALL)
    assert from_line(to_line(strict)) == strict


def test_a_recording_is_masked_where_the_account_wants_it_and_words_are() -> None:
    call = uuid4()
    sound = RecordingStarted(call, "00", 16_000, 0.0)
    masked = replace(sound, masked=True)
    assert recorded([started(call), sound], Masking.NUMBERS, recordings=True)[1] == masked
    assert recorded([started(call), sound], Masking.NUMBERS)[1] == sound
    assert recorded([started(call), sound], Masking.NONE, recordings=True)[1] == sound
    by_agent = replace(started(call), masking=Masking.ALL)
    assert recorded([by_agent, sound], Masking.NONE, recordings=True)[1] == masked
    assert recorded([sound], Masking.NONE) == [masked], "what its call began with is not known"


def test_a_masked_recording_survives_the_spool() -> None:
    sound = RecordingStarted(uuid4(), "00", 16_000, 0.0, masked=True)
    assert from_line(to_line(sound)) == sound
    before_there_were_any = to_line(sound).replace(',"masked":true', "")
    assert from_line(before_there_were_any) == replace(sound, masked=False)
