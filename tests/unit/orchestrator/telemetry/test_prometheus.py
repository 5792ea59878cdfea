"""Metrics from records."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.core.events import CallEnded, EndReason, Happened, TurnFinished
from orchestrator.core.turn import SPANS, AnswerKind, Turn
from orchestrator.telemetry.prometheus import TURN_BUCKETS, CallMetrics
from orchestrator.telemetry.recorder import DatabaseRecorder
from tests.fakes.records import answered_turn, small_call, started
from tests.fakes.stores import FakeSpool, FakeStore


@pytest.fixture
def metrics() -> CallMetrics:
    return CallMetrics()


def value(metrics: CallMetrics, name: str, **labels: str) -> float | None:
    """The value of one sample in what is exposed."""
    families = text_string_to_metric_families(metrics.exposition()[0].decode())
    samples = {(sample.name, *sorted(sample.labels.items())): sample.value for f in families for sample in f.samples}
    return samples.get((name, *sorted(labels.items())))


def test_a_call_is_in_progress_until_it_ends(metrics: CallMetrics) -> None:
    call = small_call()
    for record in call[:-1]:
        metrics.record(record)
    assert value(metrics, "offhook_calls_in_progress") == 1

    metrics.record(call[-1])

    assert value(metrics, "offhook_calls_in_progress") == 0
    assert value(metrics, "offhook_calls_total", reason="caller_hangup", driver="sip") == 1
    assert value(metrics, "offhook_call_seconds_sum") == 7.0


def test_a_call_is_not_counted_twice_when_its_end_comes_twice(metrics: CallMetrics) -> None:
    call_id = uuid4()
    end = CallEnded(call_id, EndReason.LEG_LOST, 1_800_000_001.0, 1.0)
    metrics.record(started(call_id))
    metrics.record(end)
    metrics.record(end)

    assert value(metrics, "offhook_calls_in_progress") == 0
    assert value(metrics, "offhook_calls_total", reason="leg_lost", driver="sip") == 1


def test_the_spans_of_a_turn_are_observed_by_kind_of_answer(metrics: CallMetrics) -> None:
    metrics.record(TurnFinished(uuid4(), answered_turn(latency=0.75, answer=AnswerKind.APPROVED)))

    labels = {"span": "voice_to_voice", "answer": "approved"}
    assert value(metrics, "offhook_turns_total", answer="approved") == 1
    assert value(metrics, "offhook_turn_seconds_sum", **labels) == 0.75
    assert value(metrics, "offhook_turn_seconds_bucket", le="0.6", **labels) == 0
    assert value(metrics, "offhook_turn_seconds_bucket", le="0.8", **labels) == 1


def test_a_span_without_its_marks_is_absent(metrics: CallMetrics) -> None:
    metrics.record(TurnFinished(uuid4(), Turn(0, answer=AnswerKind.GREETING)))

    assert value(metrics, "offhook_turns_total", answer="greeting") == 1
    assert all(value(metrics, "offhook_turn_seconds_count", span=span, answer="greeting") is None for span in SPANS)


def test_a_turn_that_nobody_answered_is_counted_as_such(metrics: CallMetrics) -> None:
    metrics.record(TurnFinished(uuid4(), Turn(0)))

    assert value(metrics, "offhook_turns_total", answer="none") == 1


def test_every_kind_of_answer_is_shown_before_its_first_turn(metrics: CallMetrics) -> None:
    assert [value(metrics, "offhook_turns_total", answer=answer) for answer in AnswerKind] == [0] * len(AnswerKind)


@pytest.mark.parametrize(
    ("kind", "payload", "name", "labels"),
    [
        ("barge_in", {"turn": 1}, "offhook_barge_ins_total", {}),
        ("aside", {"turn": 1}, "offhook_asides_total", {}),
        ("echo", {"words": 3, "delay": 0.2}, "offhook_echoes_total", {}),
        ("filler", {"turn": 1}, "offhook_fillers_total", {}),
        ("turn_continued", {"turn": 1}, "offhook_turns_continued_total", {}),
        ("speculated", {"outcome": "hit", "seconds": 0.4}, "offhook_speculations_total", {"outcome": "hit"}),
        ("speculated", {"outcome": "miss", "seconds": 1.0}, "offhook_speculation_wasted_seconds_total", {}),
        (
            "engine_failed",
            {"engine": "whisper-tiny", "error": "EngineTimeout"},
            "offhook_engine_errors_total",
            {"engine": "whisper-tiny", "error": "EngineTimeout"},
        ),
    ],
)
def test_what_happens_is_counted(
    metrics: CallMetrics, kind: str, payload: dict[str, object], name: str, labels: dict[str, str]
) -> None:
    metrics.record(Happened(uuid4(), 0, kind, 1.0, payload))
    metrics.record(Happened(uuid4(), 0, "partial", 1.0, {"stable": "hello"}))

    assert value(metrics, name, **labels) == 1


def test_a_watched_value_is_read_at_each_scrape(metrics: CallMetrics) -> None:
    restarts = {"llm": 0, "tts": 0}
    metrics.counter("offhook_engine_restarts", "Restarts of engine processes.", lambda: restarts, "process")
    metrics.gauge("offhook_engine_requests_in_flight", "Requests that an engine works on.", lambda: 3)
    restarts["llm"] = 2

    assert value(metrics, "offhook_engine_restarts_total", process="llm") == 2
    assert value(metrics, "offhook_engine_restarts_total", process="tts") == 0
    assert value(metrics, "offhook_engine_requests_in_flight") == 3


def test_a_name_cannot_be_watched_twice(metrics: CallMetrics) -> None:
    metrics.gauge("offhook_twice", "Once.", lambda: 1)

    with pytest.raises(ValueError, match="Duplicated"):
        metrics.gauge("offhook_twice", "Twice.", lambda: 2)


async def test_a_recorder_shows_its_backlog(metrics: CallMetrics) -> None:
    store = FakeStore()
    store.away = True
    async with DatabaseRecorder(store, FakeSpool()) as recorder:
        metrics.watch_recorder(recorder)
        recorder.record(started(uuid4()))
        await recorder.flush()

        assert value(metrics, "offhook_recorder_backlog") == 1
        assert value(metrics, "offhook_recorder_database_away") == 1
        assert value(metrics, "offhook_recorder_dropped_total") == 0


def test_two_of_them_share_nothing() -> None:
    one, other = CallMetrics(), CallMetrics()
    one.record(started(uuid4()))

    assert value(other, "offhook_calls_in_progress") == 0


def test_the_limit_of_a_turn_is_an_edge_of_a_bucket() -> None:
    assert 2.0 in TURN_BUCKETS
    assert (min(TURN_BUCKETS), max(TURN_BUCKETS)) == (0.05, 5.0)


def test_a_scraper_that_asks_for_open_metrics_gets_it(metrics: CallMetrics) -> None:
    body, content_type = metrics.exposition("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_every_metric_is_documented(metrics: CallMetrics) -> None:
    metrics.watch_recorder(DatabaseRecorder(FakeStore(), FakeSpool()))
    document = (Path(__file__).parents[4] / "docs" / "observability.md").read_text(encoding="utf-8")
    families = text_string_to_metric_families(metrics.exposition()[0].decode())
    names = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in families
        if family.name.startswith("offhook_") and not family.name.endswith("_created")
    }

    assert names
    assert {name for name in names if f"`{name}`" not in document} == set()
