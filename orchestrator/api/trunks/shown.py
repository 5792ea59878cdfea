"""How trunks are told of: never their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from orchestrator.account_trunks import AccountTrunks, TrunkState, registration_state
from orchestrator.api.trunks.schemas import TrunkRead
from orchestrator.calls.trunks import Trunks
from orchestrator.core.events import FIRST_ACCOUNT
from orchestrator.store.trunks_repository import StoredTrunk
from telephony.sip.settings import Trunk


@dataclass(frozen=True, slots=True)
class OperatorTrunks:
    """Those of the operator's file, which the API shows to those whose they are. known: how all trunks fare."""

    trunks: tuple[Trunk, ...]
    known: Trunks

    def of(self, account: UUID) -> list[Trunk]:
        """Those that *account* can call out through."""
        return [trunk for trunk in self.trunks if (trunk.account or FIRST_ACCOUNT) == account]

    def read(self, trunk: Trunk, registrations: Mapping[str, str]) -> TrunkRead:
        """*trunk*, as it is told."""
        breaker = self.known.wait(trunk.name) > 0
        return TrunkRead(
            id=None,
            origin="operator",
            scope="installation" if trunk.account is None else "account",
            has_password=bool(trunk.password.get_secret_value()),
            enabled=True,
            created_at=None,
            networks=[str(network) for network in trunk.networks],
            **_alike(trunk),
            **_told(registration_state(trunk.registrar, registrations.get(trunk.name, ""), breaker_open=breaker)),
        )


def own(one: StoredTrunk, trunks: AccountTrunks, registrations: Mapping[str, str]) -> TrunkRead:
    """*one* of an account's own, as it is told."""
    return TrunkRead(
        id=one.id,
        origin="account",
        scope="account",
        has_password=one.password is not None,
        enabled=one.enabled,
        created_at=one.created_at,
        networks=[str(network) for network in one.networks],
        **_alike(one),
        **_told(trunks.state(one, registrations)),
    )


def _alike(trunk: Trunk | StoredTrunk) -> dict[str, Any]:
    """What both kinds say in the same words."""
    fields = ("name", "registrar", "domain", "realm", "user", "expires", "peer", "transport", "echo_guard")
    return {name: getattr(trunk, name) for name in fields}


def _told(state: TrunkState) -> dict[str, Any]:
    return {"state": state.state, "reason": state.reason, "breaker_open": state.breaker_open}
