"""A trunk that fails is tried by one call after a rest, which says how it is by now."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID, uuid4

import pytest

from orchestrator.calls.trunks import Trunks
from orchestrator.core.errors import CarrierRejected, Hangup, LegError
from orchestrator.core.events import FIRST_ACCOUNT
from orchestrator.core.trunk import AddedTrunk


class Carrier:
    """A trunk, and the time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.trunks = Trunks(clock=lambda: self.now)

    def says(self, error: LegError | None) -> None:
        with suppress(LegError), self.trunks.dialled("carrier"):
            if error is not None:
                raise error


def test_an_account_s_trunk_is_for_its_calls_alone_and_the_others_are_the_first_account_s() -> None:
    theirs, others = UUID(int=7), UUID(int=8)
    trunks = Trunks({"theirs": theirs})
    assert [trunks.of(account) for account in (FIRST_ACCOUNT, theirs, others)] == [True, True, False]
    for account, out, comes_in in ((FIRST_ACCOUNT, False, False), (theirs, True, True), (others, False, False)):
        assert (trunks.called(account, "theirs") is not None, trunks.may_be_called(account, "theirs")) == (
            out,
            comes_in,
        )
    for account, out in ((FIRST_ACCOUNT, True), (theirs, False)):
        assert (trunks.called(account, "carrier") is not None, trunks.may_be_called(account, "carrier")) == (out, True)


@pytest.mark.parametrize("status", [401, 407, 408, 500, 503, 504])
def test_three_failures_of_a_carrier_in_a_row_leave_it_alone(status: int) -> None:
    carrier = Carrier()
    for _ in range(3):
        assert carrier.trunks.wait("carrier") == 0
        carrier.says(CarrierRejected(status, ""))
    assert (carrier.trunks.wait("carrier"), carrier.trunks.wait("another")) == (10.0, 0.0)


@pytest.mark.parametrize("well", [None, CarrierRejected(486, "Busy Here"), CarrierRejected(603, "Decline")])
def test_a_call_that_is_answered_or_declined_after_the_rest_lets_the_next_ones_follow(well: LegError | None) -> None:
    carrier = Carrier()
    for _ in range(3):
        carrier.says(CarrierRejected(503, ""))
    carrier.now += 10.0
    assert carrier.trunks.wait("carrier") == 0
    carrier.says(well)
    assert carrier.trunks.failing() == {"carrier": False}


def test_a_call_that_fails_after_the_rest_makes_it_longer_and_one_that_is_given_up_says_nothing() -> None:
    carrier = Carrier()
    for _ in range(3):
        carrier.says(CarrierRejected(503, ""))
    carrier.now += 10.0
    carrier.says(Hangup("the call ended before it was answered"))
    assert carrier.trunks.wait("carrier") == 0
    carrier.says(CarrierRejected(503, ""))
    assert carrier.trunks.wait("carrier") == 20.0


def test_two_accounts_may_use_one_name_and_neither_has_the_other_s_trunk() -> None:
    ours, theirs = uuid4(), uuid4()
    trunks = Trunks()
    trunks.know([AddedTrunk(ours, "carrier", "trunk:1"), AddedTrunk(theirs, "carrier", "trunk:2")])
    assert (trunks.called(ours, "carrier"), trunks.called(theirs, "carrier")) == ("trunk:1", "trunk:2")
    assert (trunks.of(ours), trunks.of(uuid4())) == (True, False)
    for account, may in ((ours, True), (theirs, False), (FIRST_ACCOUNT, False)):
        assert trunks.may_be_called(account, "trunk:1") is may
        assert trunks.called(account, "trunk:1") is None


def test_a_trunk_that_is_gone_is_nobody_s_and_how_it_fared_is_forgotten() -> None:
    ours, trunks = uuid4(), Trunks()
    trunks.know([AddedTrunk(ours, "carrier", "trunk:1")])
    with suppress(LegError), trunks.dialled("trunk:1"):
        raise CarrierRejected(503, "Service Unavailable")
    assert trunks.failing() == {"trunk:1": False}
    trunks.know([])
    assert trunks.failing() == {}
    assert not trunks.may_be_called(ours, "trunk:1")
    assert not trunks.may_be_called(FIRST_ACCOUNT, "trunk:1")
