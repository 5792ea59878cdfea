from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

from telephony.sip.account import Sources
from telephony.sip.settings import LOCAL_TRUNK, Trunk

PEER = Trunk(name="pbx", networks=(IPv4Network("192.0.2.0/24"),))
REGISTERED = Trunk(name="carrier", registrar="127.0.0.1:5160", user="agent")


def test_a_source_belongs_to_the_first_trunk_that_has_it() -> None:
    sources = Sources.of((PEER, REGISTERED))
    assert sources.trunks_of("192.0.2.9:5060") == (PEER,)
    assert sources.trunks_of("127.0.0.1:40000") == (REGISTERED,)
    assert sources.trunks_of("198.51.100.1:5060") == ()


def test_a_carrier_s_addresses_may_be_of_any_number_of_accounts_beside_the_operator() -> None:
    mine, theirs = (PEER.model_copy(update={"name": name}) for name in ("trunk:1", "trunk:2"))
    sources = replace(Sources.of((PEER, LOCAL_TRUNK)), added=(mine, theirs))
    assert sources.trunks_of("192.0.2.9:5060") == (PEER, mine, theirs)
    assert sources.networks == {*PEER.networks, *LOCAL_TRUNK.networks}


def test_this_machine_is_an_account_s_where_the_account_says_so() -> None:
    here = LOCAL_TRUNK.model_copy(update={"name": "trunk:1", "networks": (IPv4Network("127.0.0.9/32"),)})
    sources = replace(Sources.of((LOCAL_TRUNK,)), added=(here,))
    assert sources.trunks_of("127.0.0.9:5060") == (here,)
    assert sources.trunks_of("127.0.0.1:5060") == (LOCAL_TRUNK,)
