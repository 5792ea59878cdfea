"""What an account may say of a trunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final
from uuid import UUID, uuid4

from orchestrator.access.seal import Seal
from orchestrator.account_trunks import AccountTrunks
from orchestrator.api.trunks.schemas import TrunkChange, TrunkCreate
from orchestrator.api.trunks.shown import OperatorTrunks
from orchestrator.core.errors import ApiError
from orchestrator.store.trunks_repository import StoredTrunk, TooManyTrunks, TrunkNameTaken
from telephony.sip.settings import LOCAL_TRUNK, host_of

MOST_TRUNKS: Final = 16
# Whole parts of the internet would open the gateways to everybody: 4,096 addresses are a large carrier's.
_WIDEST: Final = 20


def made(asked: TrunkCreate, account: UUID, seal: Seal) -> StoredTrunk:
    """A new trunk, its password sealed."""
    trunk = uuid4()
    return StoredTrunk(account=account, id=trunk, **{"password": None, **_given(asked, trunk, seal)})


def altered(found: StoredTrunk, asked: TrunkChange, seal: Seal) -> StoredTrunk:
    """*found* with what is asked. Raises ApiError when its password would go elsewhere, unknown to whoever asks."""
    given = _given(asked, found.id, seal)
    one = replace(found, **given)
    elsewhere = (one.registrar, one.peer, one.realm) != (found.registrar, found.peer, found.realm)
    if elsewhere and one.password is not None and "password" not in given:
        raise ApiError(422, "password_wanted", "password: give it again with another registrar, peer or realm")
    return one


def find_room(one: StoredTrunk, before: StoredTrunk | None, trunks: AccountTrunks) -> None:
    """Raises ApiError when the gateways cannot carry *one*, which was as *before*."""
    has_its_place = before is not None and before.enabled and before.user is not None
    if one.enabled and one.user is not None and not has_its_place and not trunks.has_room(one):
        why = "the gateways hold no more trunks with a user; whoever runs the machine may add some"
        raise ApiError(409, "no_room", why)


@contextmanager
def refusals(one: StoredTrunk) -> Iterator[None]:
    """What the store says against *one*, as the API does."""
    try:
        yield
    except TrunkNameTaken as error:
        raise _taken(one.name) from error
    except TooManyTrunks as error:
        raise ApiError(409, "too_many_trunks", f"an account has {MOST_TRUNKS} trunks at most") from error


def check(one: StoredTrunk, trunks: AccountTrunks, operator: OperatorTrunks) -> None:
    """Raises ApiError for what cannot work, and for what may not be reached."""
    if one.registrar and not one.user:
        raise ApiError(422, "invalid_trunk", "user: a trunk with a registrar needs one")
    if not one.registrar and not one.networks:
        raise ApiError(422, "invalid_trunk", "networks: say where its calls come from, or give a registrar")
    for network in one.networks:
        if network.prefixlen < _WIDEST:
            raise ApiError(422, "invalid_trunk", f"networks: {network} is too wide; accepted are /{_WIDEST} to /32")
        if not (trunks.may_be_at(network[0]) and trunks.may_be_at(network[-1])):
            raise _refused("networks", str(network))
    for field, target in (("registrar", one.registrar), ("peer", one.peer)):
        address = _literal(target)
        if address is not None and not trunks.may_be_at(address):
            raise _refused(field, str(address))
    if one.name in {LOCAL_TRUNK.name, *(trunk.name for trunk in operator.of(one.account))}:
        raise _taken(one.name)


def _given(asked: TrunkCreate | TrunkChange, trunk: UUID, seal: Seal) -> dict[str, Any]:
    """What of *trunk* is asked for, as it is kept."""
    given = asked.model_dump(exclude_unset=isinstance(asked, TrunkChange), exclude={"password"})
    if "networks" in given:
        given["networks"] = tuple(IPv4Network(network) for network in given["networks"])
    if "password" in asked.model_fields_set:
        secret = asked.password
        given["password"] = None if secret is None else seal.close(secret.get_secret_value().encode(), trunk.bytes)
    return given


def _taken(name: str) -> ApiError:
    return ApiError(409, "trunk_exists", f"there is a trunk {name!r} already")


def _literal(target: str | None) -> IPv4Address | None:
    try:
        return IPv4Address(host_of(target or ""))
    except ValueError:
        return None  # a name, which is looked up when it is used


def _refused(field: str, address: str) -> ApiError:
    why = f"{field}: {address} is nowhere that trunks may be; whoever runs the machine says where (trunk_networks)"
    return ApiError(422, "address_refused", why)
