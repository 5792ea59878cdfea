"""Log lines: readable by machines and people, and silent about callers."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import ConfigError
from orchestrator.telemetry.logs import configure_logging

WORDS = "my name is Paul and my card is 4111"


@contextmanager
def logging_to(stream: io.StringIO, pretty: bool = False) -> Iterator[None]:
    """Log to *stream*, and put the process's logging back afterwards."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    configure_logging("DEBUG", stream, pretty)
    try:
        yield
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level
        sys.excepthook, threading.excepthook = hooks


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What is logged."""
    stream = io.StringIO()
    with logging_to(stream):
        yield stream


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(output: io.StringIO) -> None:
    structlog.get_logger().info("turn_ended", call="c1", turn=3, spans={"voice_to_voice": 0.5})

    (line,) = lines(output)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "turn_ended",
        "call": "c1",
        "turn": 3,
        "spans": {"voice_to_voice": 0.5},
    }


def test_events_below_the_level_are_left_out(output: io.StringIO) -> None:
    configure_logging("WARNING", output)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")

    assert [line["event"] for line in lines(output)] == ["loud"]


def test_fields_of_the_context_are_told_and_masked(output: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(call="c1", pii_caller="+33612345678")
    structlog.get_logger().info("ringing")

    assert (lines(output)[0]["call"], lines(output)[0]["pii_caller"]) == ("c1", "[11 digits …78]")


def test_an_exception_tells_its_place_but_not_what_it_quotes(output: io.StringIO) -> None:
    try:
        try:
            int(WORDS)
        except ValueError as error:
            raise ConfigError("demo.toml: field rate: expected a number") from error
    except ConfigError:
        structlog.get_logger().exception("agent_refused")

    refused, cause = lines(output)[0]["exception"]
    assert (refused["type"], refused["message"]) == ("ConfigError", "demo.toml: field rate: expected a number")
    assert cause["type"] == "ValueError"
    assert "test_logs.py" in cause["frames"][0]
    assert WORDS not in output.getvalue()


def test_members_of_an_exception_group_are_told(output: io.StringIO) -> None:
    group = ExceptionGroup("two failed", [ValueError(WORDS), ConfigError("no model")])
    structlog.get_logger().error("call_failed", exc_info=group)

    assert [failure["type"] for failure in lines(output)[0]["exception"]] == [
        "ExceptionGroup",
        "ValueError",
        "ConfigError",
    ]
    assert WORDS not in output.getvalue()


def test_what_is_private_in_one_field_is_removed_from_the_others(output: io.StringIO) -> None:
    structlog.get_logger().info("odd", pii_text=WORDS, note=f"the caller said: {WORDS}", deep=[{"x": repr(WORDS)}])

    assert WORDS not in output.getvalue()


@pytest.mark.parametrize(
    "caller", ["caller", "call_started", "pii_caller", "timestamp", "characters", "front-desk", "sip-5060"]
)
def test_no_caller_can_take_away_what_a_line_is_about(output: io.StringIO, caller: str) -> None:
    fields = {"call": "c1", "agent": "front-desk", "gateway": "sip-5060", "pii_caller": caller}
    structlog.get_logger().info("call_started", **fields, leg={"pii_caller": caller, "by": "them"})

    (line,) = lines(output)
    assert list(line) == ["timestamp", "level", "event", *fields, "leg"]
    assert (line["level"], line["event"]) == ("info", "call_started")
    assert (line["call"], line["agent"], line["gateway"]) == ("c1", "front-desk", "sip-5060")
    assert line["pii_caller"].startswith(f"[{len(caller)} characters #")
    assert list(line["leg"]) == ["pii_caller", "by"]


def test_no_caller_can_take_away_where_an_error_was(output: io.StringIO) -> None:
    try:
        int(WORDS)
    except ValueError:
        structlog.get_logger().exception("call_failed", pii_caller="test_logs")

    assert "test_logs.py" in lines(output)[0]["exception"][0]["frames"][0]


def test_what_a_library_quotes_of_a_caller_is_removed_from_its_message(output: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(pii_caller="Paul-Henri")
    logging.getLogger("custom").warning("no such user: Paul-Henri")

    assert lines(output)[0]["event"] == "no such user: [redacted]"


def test_libraries_take_the_same_way(output: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("shutting down, %s", "token=hunter2hunter2")
    logging.getLogger("chatty").info("left out")
    logging.getLogger("custom").log(35, "between the levels")

    assert [(line["logger"], line["level"], line["event"]) for line in lines(output)] == [
        ("uvicorn.error", "warning", "shutting down, token=[redacted]"),
        ("custom", "warning", "between the levels"),
    ]


def test_a_task_that_nobody_awaited_does_not_quote_its_exception(output: io.StringIO) -> None:
    async def fail(words: str) -> None:
        raise ValueError(words)

    async def forget() -> None:
        task = asyncio.ensure_future(fail(WORDS))
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(forget())

    (line,) = [line for line in lines(output) if line["logger"] == "asyncio"]
    assert line["event"].startswith("Task exception was never retrieved")
    assert line["exception"][0]["type"] == "ValueError"
    assert WORDS not in output.getvalue()


def test_a_callback_that_fails_does_not_show_its_arguments(output: io.StringIO) -> None:
    async def call_back() -> None:
        asyncio.get_running_loop().call_soon(int, WORDS)
        await asyncio.sleep(0)

    asyncio.run(call_back())

    assert "Exception in callback" in output.getvalue()
    assert WORDS not in output.getvalue()


def test_an_uncaught_exception_of_a_thread_is_logged(output: io.StringIO) -> None:
    thread = threading.Thread(target=int, args=(WORDS,))
    thread.start()
    thread.join()

    assert lines(output)[0]["event"] == "uncaught_exception"
    assert WORDS not in output.getvalue()


def test_a_warning_is_logged(output: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("an old way of doing it", DeprecationWarning, stacklevel=1)

    assert lines(output)[0]["logger"] == "py.warnings"


def test_a_terminal_gets_a_readable_line_with_the_same_masks() -> None:
    stream = io.StringIO()
    with logging_to(stream, pretty=True):
        try:
            int(WORDS)
        except ValueError:
            structlog.get_logger().exception("agent_refused", pii_text=WORDS)

    shown = stream.getvalue()
    assert "agent_refused" in shown
    assert "ValueError: [" in shown
    assert not shown.startswith("{")
    assert WORDS not in shown


# Longer than what could be somebody's text by chance, and unlike anything that a log line holds anyway.
private = st.text(min_size=6).map(lambda text: f"§{text}§")
nested = st.recursive(private, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)
escapes = (lambda text: text, lambda text: repr(text)[1:-1], lambda text: json.dumps(text)[1:-1])


def assert_silent(text: str, shown: str) -> None:
    for escape in escapes:
        assert escape(text) not in shown


@given(text=private, around=private, pretty=st.booleans())
def test_no_private_value_ever_appears_in_a_line(text: str, around: str, pretty: bool) -> None:
    stream = io.StringIO()
    with logging_to(stream, pretty):
        log = structlog.get_logger()
        log.info("said", pii_text=text, pii_more={"deep": [around]}, outer={"inner": [{"pii_name": text}]})
        log.info("quoted", pii_text=text, note=f"heard {text}", path=[text, {text: text}])

    assert_silent(text, stream.getvalue())
    assert_silent(around, stream.getvalue())


def fail(words: str, kind: type[Exception]) -> None:
    """Raise what quotes *words* in its message, its cause, a note and the locals of its frames."""
    try:
        refuse(words, kind)
    except kind as error:
        error.add_note(words)
        raise RuntimeError(f"while hearing {words!r}") from error


def refuse(words: str, kind: type[Exception]) -> None:
    raise kind(words)


@given(
    text=private,
    kind=st.sampled_from([ValueError, KeyError, AssertionError, UnicodeError, LookupError]),
    pretty=st.booleans(),
)
def test_no_exception_ever_quotes_a_private_value(text: str, kind: type[Exception], pretty: bool) -> None:
    stream = io.StringIO()
    with logging_to(stream, pretty):
        try:
            fail(text, kind)
        except RuntimeError as error:
            structlog.get_logger().exception("failed", error=error)
            logging.getLogger("uvicorn.error").exception("Exception in ASGI: %s", error)  # noqa: TRY401

    assert "RuntimeError" in stream.getvalue()
    assert_silent(text, stream.getvalue())


@given(secret=st.text("abcdefghijkmnpqrstuvwxyz0123456789", min_size=8).map(lambda text: f"q7{text}"), value=nested)
def test_no_secret_ever_appears_in_a_line(secret: str, value: object) -> None:
    stream = io.StringIO()
    with logging_to(stream):
        log = structlog.get_logger()
        log.info("request", headers={"Authorization": f"Bearer {secret}"}, body=[{"password": [secret]}])
        log.info("request", url=f"/ws?token={secret}", token={"nested": value, "own": secret})

    assert secret not in stream.getvalue()
