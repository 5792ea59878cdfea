from __future__ import annotations

from ipaddress import IPv4Network

from telephony.sip.account import Sources
from telephony.sip.settings import Trunk

PEER = Trunk(name="pbx", networks=(IPv4Network("192.0.2.0/24"),))
REGISTERED = Trunk(name="carrier", registrar="127.0.0.1:5160", user="agent")


def test_a_source_belongs_to_the_first_trunk_that_has_it() -> None:
    sources = Sources.of((PEER, REGISTERED))
    assert sources.trunk_of("192.0.2.9:5060") == PEER
    assert sources.trunk_of("127.0.0.1:40000") == REGISTERED
    assert sources.trunk_of("198.51.100.1:5060") is None
