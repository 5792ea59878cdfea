"""Values on their way into PostgreSQL."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.store.jsonb import from_jsonb, storable_text, to_jsonb

finite = st.floats(allow_nan=False, allow_infinity=False)
plain_text = st.text().map(storable_text)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | plain_text,
    lambda inner: st.lists(inner) | st.dictionaries(plain_text, inner),
    max_leaves=10,
)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


@given(plain)
def test_a_json_value_comes_back_as_it_went_in(value: object) -> None:
    assert from_jsonb(to_jsonb(value)) == value


@given(st.text(st.characters()))
def test_any_text_becomes_one_that_a_text_column_takes(text: str) -> None:
    stored = storable_text(text)

    stored.encode()
    assert "\0" not in stored
    assert len(stored) == len(text)


@given(st.floats())
def test_numbers_that_are_not_finite_become_null(number: float) -> None:
    json.loads(to_jsonb([number]), parse_constant=refuse)
