"""The recorder between a database and a disk, either of which may fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from orchestrator.core.events import Happened, Record, TurnFinished
from orchestrator.core.turn import Mark
from orchestrator.telemetry.fanout import Fanout
from orchestrator.telemetry.record_lines import from_line, to_line
from orchestrator.telemetry.recorder import DatabaseRecorder, RecorderLimits
from tests.fakes.records import answered_turn, small_call
from tests.fakes.stores import FakeSpool, FakeStore

QUICK = RecorderLimits(batch=4, linger=0.0, write=0.05, replay=0.05, retry=0.005, longest_retry=0.01, close=0.2)
CALL = uuid4()


def event(seq: int) -> Happened:
    return Happened(CALL, seq, "state", float(seq))


async def until(condition: Callable[[], bool]) -> None:
    """Let the recorder work until *condition* holds; the test's time limit ends a wait for nothing."""
    while not condition():  # noqa: ASYNC110 - it is the recorder's state, which nobody signals
        await asyncio.sleep(0)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def spool() -> FakeSpool:
    return FakeSpool()


async def test_records_reach_the_database_in_order(store: FakeStore, spool: FakeSpool) -> None:
    records = small_call()
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        for record in records:
            recorder.record(record)
        await recorder.drain()

    assert store.kept == records
    assert spool.appended == 0


async def test_leaving_stores_what_was_recorded_last(store: FakeStore, spool: FakeSpool) -> None:
    records = small_call()
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        for record in records:
            recorder.record(record)

    assert store.kept == records
    assert not spool.opened


async def test_records_wait_on_disk_while_the_database_is_away(store: FakeStore, spool: FakeSpool) -> None:
    store.away = True
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(0))
        await recorder.flush()

        assert recorder.away
        assert [from_line(line) for line in spool.lines] == [event(0)]
        assert recorder.backlog == 1


async def test_what_waited_is_stored_before_what_came_later(store: FakeStore, spool: FakeSpool) -> None:
    store.away = True
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        for seq in range(10):
            recorder.record(event(seq))
            await recorder.flush()
        store.away = False
        for seq in range(10, 20):
            recorder.record(event(seq))
        await recorder.drain()

        assert not recorder.away
        assert recorder.backlog == 0
    assert store.kept == [event(seq) for seq in range(20)]


async def test_a_database_that_hangs_counts_as_away(store: FakeStore, spool: FakeSpool) -> None:
    store.hanging = True
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(0))
        await recorder.flush()

        assert recorder.away
        assert len(spool.lines) == 1


async def test_a_write_that_cannot_even_be_cancelled_holds_up_nothing(store: FakeStore, spool: FakeSpool) -> None:
    store.hanging = True
    store.stubborn.clear()
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(0))
        await recorder.flush()
        recorder.record(event(1))
        await recorder.flush()

        assert store.tries == 1
        store.hanging = False
        store.stubborn.set()
        await recorder.drain()
    assert store.kept == [event(0), event(1)]


async def test_what_an_earlier_process_left_comes_first(store: FakeStore) -> None:
    spool = FakeSpool([to_line(event(seq)) for seq in range(6)])
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(6))
        await recorder.drain()

    assert store.kept == [event(seq) for seq in range(7)]


async def test_leaving_while_the_database_hangs_spools_the_rest_in_order(store: FakeStore, spool: FakeSpool) -> None:
    store.hanging = True
    patient = RecorderLimits(linger=0.0, write=60.0, close=0.02)
    async with DatabaseRecorder(store, spool, patient) as recorder:
        recorder.record(event(0))
        await until(lambda: store.tries > 0)
        recorder.record(event(1))

    assert [from_line(line) for line in spool.lines] == [event(0), event(1)]
    assert recorder.dropped == 0


async def test_a_full_disk_leaves_the_latest_records_in_memory(store: FakeStore, spool: FakeSpool) -> None:
    store.away = spool.full = True
    async with DatabaseRecorder(store, spool, replace(QUICK, memory=8)) as recorder:
        recorder.record(event(0))
        await until(lambda: recorder.disk_full)
        for seq in range(1, 20):
            recorder.record(event(seq))

        assert recorder.dropped == 11
        assert recorder.backlog == 9
        store.away = False
        await recorder.drain()

        assert not recorder.disk_full
    assert store.kept == [event(0), *(event(seq) for seq in range(12, 20))]


async def test_space_on_the_disk_again_makes_records_safe(store: FakeStore, spool: FakeSpool) -> None:
    store.away = spool.full = True
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(0))
        await until(lambda: recorder.disk_full)
        spool.full = False
        await recorder.flush()

        assert not recorder.disk_full
        assert len(spool.lines) == 1


async def test_leaving_with_neither_database_nor_disk_counts_the_loss(store: FakeStore, spool: FakeSpool) -> None:
    store.away = spool.full = True
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(event(0))

    assert recorder.dropped == 1


async def test_a_refused_record_is_put_aside_and_holds_up_no_other(store: FakeStore, spool: FakeSpool) -> None:
    store.refused = [event(1)]
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        for seq in range(3):
            recorder.record(event(seq))
        await recorder.drain()

    assert store.kept == [event(0), event(2)]
    assert [from_line(line) for line in spool.rejects] == [event(1)]
    assert recorder.rejected == 1


async def test_a_line_that_holds_no_record_is_put_aside(store: FakeStore) -> None:
    spool = FakeSpool(["{]", to_line(event(0)), '{"kind":"unheard_of"}'])
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        await recorder.drain()

    assert store.kept == [event(0)]
    assert spool.rejects == ["{]", '{"kind":"unheard_of"}']


async def test_a_turn_is_kept_as_it_was_when_recorded(store: FakeStore, spool: FakeSpool) -> None:
    turn = answered_turn()
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(TurnFinished(CALL, turn))
        turn.mark(Mark.INTERRUPTED, 5.0)
        turn.heard_text = "changed"
        await recorder.drain()

    assert store.kept == [TurnFinished(CALL, answered_turn())]


async def test_a_store_that_is_broken_in_an_unforeseen_way_loses_nothing(spool: FakeSpool) -> None:
    class Broken(FakeStore):
        async def write(self, records: object) -> None:
            raise ZeroDivisionError

    async with DatabaseRecorder(Broken(), spool, QUICK) as recorder:
        recorder.record(event(0))
        await recorder.flush()

    assert [from_line(line) for line in spool.lines] == [event(0)]


async def test_what_is_no_record_does_not_raise_into_the_call(store: FakeStore, spool: FakeSpool) -> None:
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        recorder.record(TurnFinished(CALL, None))  # type: ignore[arg-type]
        recorder.record(event(0))
        await recorder.drain()

    assert store.kept == [event(0)]
    assert recorder.dropped == 1


async def test_a_record_that_comes_too_late_is_counted_as_lost(store: FakeStore, spool: FakeSpool) -> None:
    async with DatabaseRecorder(store, spool, QUICK) as recorder:
        pass
    recorder.record(event(0))

    assert (recorder.dropped, recorder.backlog) == (1, 0)


def test_one_failing_recorder_does_not_keep_a_record_from_the_others() -> None:
    class Failing:
        def record(self, record: Record) -> None:
            raise RuntimeError

    class Listing:
        def __init__(self) -> None:
            self.records: list[Record] = []

        def record(self, record: Record) -> None:
            self.records.append(record)

    listing = Listing()
    Fanout([Failing(), listing]).record(event(0))

    assert listing.records == [event(0)]
