"""What masking leaves of a value."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from orchestrator.core.events import CallState
from orchestrator.telemetry.masking import REDACTED, masked, safe, without_secrets
from tests.fakes.records import answered_turn


def test_a_masked_text_shows_its_length_and_whether_it_is_the_same_as_another() -> None:
    assert masked("a caller's words").startswith("[16 characters #")
    assert masked("a caller's words") == masked("a caller's words")
    assert masked("a caller's words") != masked("another's words!")


def test_a_masked_number_shows_its_last_two_digits() -> None:
    assert safe("pii_caller", "+33 6 12 34 56 78") == "[11 digits …78]"


def test_a_short_number_shows_none() -> None:
    assert "17" not in str(safe("pii_caller", "17")).split("#")[0]


def test_digits_in_a_text_are_masked_with_it() -> None:
    assert "11" not in str(safe("pii_text", "4111 1111 1111 1111")).split("#")[0]


@pytest.mark.parametrize(
    "key", ["token", "refresh_token", "password", "Authorization", "api_key", "client_secret", "cookie", "DATABASE_URL"]
)
def test_a_secret_is_redacted_wherever_it_is_nested(key: str) -> None:
    assert safe("request", [{"headers": {key: ["hunter2"]}}]) == [{"headers": {key: REDACTED}}]


@pytest.mark.parametrize(("key", "value"), [("tokens", 12), ("llm_first_token", 0.25), ("max_tokens", 160)])
def test_a_count_of_tokens_is_no_secret(key: str, value: float) -> None:
    assert safe(key, value) == value


def test_a_numeric_password_is_a_secret() -> None:
    assert safe("password", 1234) == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "GET /ws?token=hunter2&x=1",
        "Authorization: Bearer hunter2",
        "postgresql://offhook:hunter2@db/offhook",
        'refused {"password": "hunter2"}',
        "api_key=hunter2",
    ],
)
def test_a_secret_in_running_text_is_redacted(text: str) -> None:
    assert "hunter2" not in without_secrets(text)
    assert REDACTED in without_secrets(text)


def test_ordinary_text_is_left_alone() -> None:
    text = "call 7 ended after 12.5 s: sip:demo@127.0.0.1 postgresql:///offhook"

    assert without_secrets(text) == text


def test_values_that_json_knows_and_harmless_ones_are_kept() -> None:
    call_id = uuid4()

    assert safe("call", call_id) == str(call_id)
    assert safe("path", Path("/data")) == "/data"
    assert safe("state", CallState.LISTEN) == "listen"
    assert safe("fields", {"n": 1, "x": 0.5, "none": None, "ok": True, "set": {1}}) == {
        "n": 1,
        "x": 0.5,
        "none": None,
        "ok": True,
        "set": [1],
    }


def test_of_an_unknown_object_only_the_type_is_told() -> None:
    assert safe("turn", answered_turn()) == "<Turn>"
    assert safe("error", ValueError("a caller's words")) == "<ValueError>"


def test_a_structure_that_holds_itself_comes_to_an_end() -> None:
    endless: list[object] = []
    endless.append(endless)

    assert "<list>" in str(safe("endless", endless))


def test_a_number_that_json_cannot_hold_becomes_its_text() -> None:
    assert safe("level", float("nan")) == "nan"
