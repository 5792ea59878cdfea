"""Who may call, and how calls end from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from orchestrator.calls.prepared import OnDuty, PreparedAgent, prepare
from orchestrator.calls.setup import SessionSettings
from orchestrator.calls.supervisor import CallLimits, CallSupervisor, Refusal, SharedEngines
from orchestrator.core.events import CallEnded, CallStarted, EndReason
from tests.calls.scene import AGENT, Kept
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeTextToSpeech,
    FakeTurnDetector,
    FakeVoiceActivityFactory,
)
from tests.fakes.leg import FakeLeg
from tests.virtual_clock import run_virtual


class BrokenVoiceActivity:
    """A detector whose model cannot be opened."""

    def open(self):
        raise RuntimeError("model file vanished")


def started(call_id: UUID | None = None) -> CallStarted:
    return CallStarted(call_id or uuid4(), "demo", "inbound", "ann", "demo", "sip", 1000.0)


async def answered(supervisor: CallSupervisor, agent: PreparedAgent, after: float = 0.0) -> FakeLeg:
    """A call, from its invite to its end; *after*: seconds until the leg is there."""
    leg = FakeLeg()
    with supervisor.admitted("demo"):
        await asyncio.sleep(after)
        await supervisor.run(started(), agent, leg)
    return leg


def with_supervisor(
    story: Callable[..., Awaitable[None]], limits: CallLimits = CallLimits(), vad=None, failing=lambda: 0.0
) -> list[CallEnded]:
    """Run *story(supervisor, agent)*; the ends of the calls that were recorded."""
    recorder = Kept()

    async def run() -> None:
        tts = FakeTextToSpeech()
        agent = await prepare(AGENT, FakeEmbedder(), tts)
        engines = SharedEngines(
            vad or FakeVoiceActivityFactory(),
            FakeRecognizer(tts.lexicon.hear),
            FakeTurnDetector(),
            FakeLanguageModel(),
            tts,
            FakeInterjections(),
            failing,
        )
        await story(
            CallSupervisor(engines, {"demo": OnDuty(agent)}, recorder, limits, wall_clock=lambda: 1000.0), agent
        )

    run_virtual(run())
    return [record for record in recorder.records if isinstance(record, CallEnded)]


def test_an_unknown_number_is_not_found():
    async def story(supervisor, agent):
        with supervisor.admitted("nobody") as answer:
            assert answer == Refusal(404, "Not Found")
        with supervisor.admitted("demo") as answer:
            assert answer.prepared is agent

    with_supervisor(story)


def fall_behind(supervisor):
    for _ in range(5):
        supervisor.guard.waited(2.0)


def test_the_call_beyond_the_limit_is_busy():
    async def story(supervisor, agent):
        with supervisor.admitted("demo"), supervisor.admitted("demo") as second:
            assert second == Refusal(486, "Busy Here")
        with supervisor.admitted("demo") as answer:
            assert answer.prepared is agent

    with_supervisor(story, CallLimits(calls=1))


def test_nobody_is_taken_while_an_engine_fails_that_no_call_works_without():
    async def story(supervisor, agent):
        with supervisor.admitted("demo") as answer, supervisor.assigned(OnDuty(agent), simulated=True) as tried_out:
            assert answer == tried_out == Refusal(503, "Engines Failing", retry_after=8)

    with_supervisor(story, failing=lambda: 7.2)


def test_simulated_calls_take_no_caller_s_place():
    async def story(supervisor, agent):
        with (
            supervisor.assigned(OnDuty(agent), simulated=True) as tried_out,
            supervisor.assigned(OnDuty(agent), simulated=True) as another,
            supervisor.admitted("demo") as caller,
        ):
            assert tried_out.prepared is caller.prepared is agent
            assert another == Refusal(486, "Busy Here")

    with_supervisor(story, CallLimits(calls=1))


def test_no_call_is_simulated_on_a_machine_that_is_full_of_callers():
    async def story(supervisor, agent):
        with supervisor.admitted("demo"), supervisor.assigned(OnDuty(agent), simulated=True) as tried_out:
            assert tried_out == Refusal(486, "Busy Here")

    with_supervisor(story, CallLimits(calls=1))


def test_a_caller_joins_simulated_calls_whose_engines_are_behind_and_none_is_simulated_beside_them():
    async def story(supervisor, agent):
        with supervisor.assigned(OnDuty(agent), simulated=True):
            fall_behind(supervisor)
            with supervisor.assigned(OnDuty(agent), simulated=True) as another:
                assert another == Refusal(486, "Engines Behind")
            with supervisor.admitted("demo") as caller:
                assert caller.prepared is agent

    with_supervisor(story, CallLimits(calls=8))


def test_nobody_joins_callers_who_wait_for_engines_that_are_behind():
    async def story(supervisor, agent):
        with supervisor.admitted("demo"):
            fall_behind(supervisor)
            with supervisor.admitted("demo") as another:
                assert another == Refusal(486, "Engines Behind")
            for _ in range(10):
                supervisor.guard.waited(0.2)
            with supervisor.admitted("demo") as another:
                assert another.prepared is agent

    with_supervisor(story, CallLimits(calls=4))


def test_whoever_is_alone_is_taken_however_far_behind_the_engines_were():
    async def story(supervisor, agent):
        fall_behind(supervisor)
        with supervisor.admitted("demo") as answer:
            assert answer.prepared is agent

    with_supervisor(story, CallLimits(calls=4))


def test_once_every_call_has_ended_the_next_ones_are_not_judged_by_how_those_waited():
    async def story(supervisor, agent):
        with supervisor.admitted("demo"):
            fall_behind(supervisor)
        assert supervisor.guard.admit()
        with supervisor.admitted("demo"), supervisor.admitted("demo") as second:
            assert second.prepared is agent

    with_supervisor(story, CallLimits(calls=4))


def test_where_nobody_has_said_what_the_machine_bears_slow_engines_end_speculation_and_refuse_nobody():
    async def story(supervisor, agent):
        with supervisor.admitted("demo"):
            fall_behind(supervisor)
            with supervisor.admitted("demo") as another:
                assert another.prepared is agent
            assert not supervisor.guard.admit()

    with_supervisor(story)


def test_a_caller_who_hangs_up_ends_the_call():
    async def story(supervisor, agent):
        await supervisor.run(started(), agent, FakeLeg(hangs_up=5.0))

    (end,) = with_supervisor(story)
    assert end.reason is EndReason.CALLER_HANGUP
    assert end.duration == 5.0


def test_a_live_call_can_be_hung_up():
    async def story(supervisor, agent):
        call = started()
        async with asyncio.TaskGroup() as group:
            group.create_task(supervisor.run(call, agent, FakeLeg()))
            await asyncio.sleep(1.0)
            assert await supervisor.hangup(call.call_id)
        assert not await supervisor.hangup(call.call_id)

    (end,) = with_supervisor(story)
    assert end.reason is EndReason.AGENT_HANGUP


def test_stopping_hangs_up_every_call_and_takes_no_new_one():
    async def story(supervisor, agent):
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(answered(supervisor, agent))
            await asyncio.sleep(1.0)
            await supervisor.stop()
            assert not supervisor.live
        with supervisor.admitted("demo") as answer:
            assert answer == Refusal(503, "Shutting Down")

    assert [end.reason for end in with_supervisor(story)] == [EndReason.SHUTDOWN] * 3


def test_a_call_that_is_answered_while_all_are_being_ended_is_hung_up():
    async def story(supervisor, agent):
        async with asyncio.TaskGroup() as group:
            late = group.create_task(answered(supervisor, agent, after=2.0))
            await asyncio.sleep(1.0)
            await supervisor.stop()
        assert late.result().hung_up

    assert with_supervisor(story) == []


def test_a_call_ends_at_the_longest_duration():
    async def story(supervisor, agent):
        leg = FakeLeg()
        await supervisor.run(started(), agent, leg)
        assert leg.hung_up

    settings = SessionSettings(longest=30.0, silence_after=60.0)
    (end,) = with_supervisor(story, CallLimits(session=settings))
    assert end.reason is EndReason.TIME_UP
    assert 30.0 <= end.duration < 36.0


def test_a_lost_leg_is_told_from_a_hangup():
    async def story(supervisor, agent):
        leg = FakeLeg(hangs_up=5.0)
        leg.lost = True
        await supervisor.run(started(), agent, leg)

    (end,) = with_supervisor(story)
    assert end.reason is EndReason.LEG_LOST


def test_a_bug_in_a_call_ends_that_call_alone():
    async def story(supervisor, agent):
        leg = FakeLeg()
        await supervisor.run(started(), agent, leg)
        assert leg.hung_up
        assert not supervisor.live

    (end,) = with_supervisor(story, vad=BrokenVoiceActivity())
    assert end.reason is EndReason.ERROR
