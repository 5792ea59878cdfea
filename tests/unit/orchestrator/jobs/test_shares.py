"""Who of an account's jobs has a place, and when the others ask again."""

from __future__ import annotations

from uuid import uuid4

import pytest

from orchestrator.jobs.shares import Shares


def test_an_account_has_its_share_whatever_others_have() -> None:
    shares, one, other = Shares(2, lambda: 0.0), uuid4(), uuid4()
    assert [shares.take(one), shares.take(one)] == [None, None]
    assert shares.take(one) is not None
    assert shares.take(other) is None
    shares.leave(one)
    assert shares.take(one) is None


def test_those_beyond_ask_again_one_after_the_other() -> None:
    now = 5.0
    shares, account = Shares(1, lambda: now), uuid4()
    shares.take(account)
    assert [shares.take(account) for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    now = 5.2
    assert shares.take(account) == pytest.approx(0.2)
    now = 9.0
    assert shares.take(account) == pytest.approx(0.1)
