from __future__ import annotations

import pytest

from orchestrator.access.seal import Seal

SEAL = Seal(b"k" * 32, "tests")


def test_what_was_closed_opens_at_its_place_alone() -> None:
    sealed = SEAL.close(b"secret", b"here")
    assert SEAL.open(sealed, b"here") == b"secret"
    assert SEAL.open(sealed, b"there") is None
    assert b"secret" not in sealed


@pytest.mark.parametrize("other", [Seal(b"l" * 32, "tests"), Seal(b"k" * 32, "something else")])
def test_another_key_or_purpose_neither_opens_nor_marks_alike(other: Seal) -> None:
    assert other.open(SEAL.close(b"secret", b""), b"") is None
    assert other.mark(b"a") != SEAL.mark(b"a")


@pytest.mark.parametrize("cut", [0, 5, 12, 20])
def test_what_was_cut_does_not_open(cut: int) -> None:
    assert SEAL.open(SEAL.close(b"secret", b"")[:cut], b"") is None


def test_parts_do_not_run_together() -> None:
    assert SEAL.mark(b"ab", b"c") != SEAL.mark(b"a", b"bc")
    assert SEAL.mark(b"a") == SEAL.mark(b"a")
