"""Records turned into Prometheus metrics. Every metric and what to do about it: docs/observability.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias
from uuid import UUID

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from orchestrator.core.events import CallEnded, CallStarted, Happened, Record, Spoken, TurnFinished
from orchestrator.core.turn import AnswerKind
from orchestrator.telemetry.recorder import DatabaseRecorder

Reading: TypeAlias = Callable[[], "float | Mapping[str, float]"]
"""Gives a metric's value at the moment of a scrape, or one for each value of its label."""

# Seconds: fine where the budget of a turn is spent (0.05 to 1), and an edge on the limit of 2.
TURN_BUCKETS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)
CALL_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0)


class CallMetrics:
    """A Recorder that counts. It owns its registry, so that any number of them can live in a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._started: dict[UUID, CallStarted] = {}
        self._in_progress = Gauge("offhook_calls_in_progress", "Calls that are on now.", registry=self.registry)
        self._in_progress.set_function(lambda: len(self._started))
        self._calls = Counter(
            "offhook_calls",
            "Calls that ended, by why and by what carried them.",
            ["reason", "driver"],
            registry=self.registry,
        )
        self._call_seconds = Histogram(
            "offhook_call_seconds", "From answer to end.", buckets=CALL_BUCKETS, registry=self.registry
        )
        self._turns = Counter("offhook_turns", "Turns, by who decided the answer.", ["answer"], registry=self.registry)
        for answer in AnswerKind:
            # A rate is known from the first turn on only when the count has been seen at zero.
            self._turns.labels(answer.value)
        self._turn_seconds = Histogram(
            "offhook_turn_seconds",
            "Spans of a turn on the media clock; voice_to_voice is what a caller waits for an answer.",
            ["span", "answer"],
            buckets=TURN_BUCKETS,
            registry=self.registry,
        )
        self._engine_errors = Counter(
            "offhook_engine_errors",
            "Requests that an engine failed during calls.",
            ["engine", "error"],
            registry=self.registry,
        )
        self._speculations = Counter(
            "offhook_speculations",
            "Replies begun before the turn was over, by whether they were spoken.",
            ["outcome"],
            registry=self.registry,
        )
        self._wasted_seconds = Counter(
            "offhook_speculation_wasted_seconds", "Age of the dropped ones.", registry=self.registry
        )
        self._counted_events = {
            "barge_in": Counter("offhook_barge_ins", "Replies that a caller cut off.", registry=self.registry),
            "aside": Counter(
                "offhook_asides", "Sounds over a reply that were no interruption.", registry=self.registry
            ),
            "echo": Counter(
                "offhook_echoes", "Sounds whose words were the agent's own, coming back.", registry=self.registry
            ),
            "filler": Counter("offhook_fillers", "Replies so slow that they were announced.", registry=self.registry),
            "turn_continued": Counter(
                "offhook_turns_continued", "Turns taken for finished that went on.", registry=self.registry
            ),
        }

    def record(self, record: Record) -> None:
        """Count *record*."""
        match record:
            case CallStarted():
                self._started[record.call_id] = record
            case CallEnded():
                self._end(record)
            case TurnFinished():
                self._finish_turn(record)
            case Happened():
                self._happen(record)
            case Spoken():
                pass

    def gauge(self, name: str, documentation: str, read: Reading, label: str = "") -> None:
        """Show what *read* gives at each scrape as a gauge; with *label*, it must give a mapping of its values."""
        self.registry.register(_Watched(GaugeMetricFamily, name, documentation, read, label))

    def counter(self, name: str, documentation: str, read: Reading, label: str = "") -> None:
        """The same for a count that only grows. *name* comes without its `_total`."""
        self.registry.register(_Watched(CounterMetricFamily, name, documentation, read, label))

    def watch_recorder(self, recorder: DatabaseRecorder) -> None:
        """Show how *recorder* keeps up."""
        self.gauge("offhook_recorder_backlog", "Records that are not in the database yet.", lambda: recorder.backlog)
        self.gauge("offhook_recorder_database_away", "1 while the database does not answer.", lambda: recorder.away)
        self.gauge("offhook_recorder_disk_full", "1 while the spool takes nothing either.", lambda: recorder.disk_full)
        self.counter("offhook_recorder_dropped", "Records lost to a full memory.", lambda: recorder.dropped)
        self.counter("offhook_recorder_rejected", "Records that the database refused.", lambda: recorder.rejected)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The body of /metrics and its content type. accept: the request's Accept header."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _end(self, record: CallEnded) -> None:
        started = self._started.pop(record.call_id, None)
        self._calls.labels(record.reason.value, started.driver if started else "unknown").inc()
        self._call_seconds.observe(record.duration)

    def _finish_turn(self, record: TurnFinished) -> None:
        answer = record.turn.answer.value if record.turn.answer else "none"
        self._turns.labels(answer).inc()
        for span, seconds in record.turn.spans().items():
            self._turn_seconds.labels(span, answer).observe(seconds)

    def _happen(self, record: Happened) -> None:
        payload = record.payload
        if record.type == "engine_failed":
            self._engine_errors.labels(payload.get("engine", "unknown"), payload.get("error", "unknown")).inc()
        elif record.type == "speculated":
            self._speculations.labels(payload["outcome"]).inc()
            if payload["outcome"] == "miss":
                self._wasted_seconds.inc(float(str(payload["seconds"])))
        elif counter := self._counted_events.get(record.type):
            counter.inc()


class _Watched(Collector):
    """A metric whose value is read at the scrape."""

    def __init__(
        self,
        family: type[GaugeMetricFamily] | type[CounterMetricFamily],
        name: str,
        documentation: str,
        read: Reading,
        label: str,
    ) -> None:
        self._family = family
        self._name = name
        self._documentation = documentation
        self._read = read
        self._label = label

    def describe(self) -> list[Metric]:
        """Its name, for the registry's check for duplicates, without a reading."""
        return [self._family(self._name, self._documentation)]

    def collect(self) -> Iterator[Metric]:
        """The family with the values of this moment."""
        metric = self._family(self._name, self._documentation, labels=[self._label] if self._label else [])
        value = self._read()
        if isinstance(value, Mapping):
            for name, reading in value.items():
                metric.add_metric([name], float(reading))
        else:
            metric.add_metric([], float(value))
        yield metric
