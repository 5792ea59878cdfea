from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from telephony.sip.settings import GatewaySettings, Trunk
from telephony.sip.uri import NAMELESS, called_user, dial_uri, identity_uri, user_of

PEER = Trunk(name="pbx", networks=(IPv4Network("192.0.2.0/24"),), peer="192.0.2.7:5070", transport="tcp")
REGISTERED = Trunk(name="carrier", registrar="127.0.0.1:5160", user="agent", domain="trunk.example")


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:alice@example.com", "alice"),
        ('"Alice" <sip:+33%201@example.com:5060;user=phone>;tag=1', "+33 1"),
        ("<tel:+15551234;phone-context=x>", "+15551234"),
        ("<sip:+33;postd=22:secret@example.com>", "+33"),
        ("sip:example.com", ""),
        ("<SIPS:Bob@example.com>", "Bob"),
        ("nonsense", ""),
        ("", ""),
        ("<sip:\udcff@h>", "?"),
    ],
)
def test_the_user_of_a_uri_is_found(uri: str, user: str) -> None:
    assert user_of(uri) == user


def test_an_invite_is_for_its_request_uri() -> None:
    assert called_user("INVITE sip:demo@h SIP/2.0\r\n", "<sip:other@h>", PEER) == "demo"


def test_an_invite_to_our_registration_is_for_whom_the_to_header_names() -> None:
    assert called_user("INVITE sip:agent@h;ob SIP/2.0\r\n", "<sip:+331@trunk.example>", REGISTERED) == "+331"


@pytest.mark.parametrize(
    ("target", "trunk", "uri"),
    [
        ("+331", PEER, "sip:+331@192.0.2.7:5070;transport=tcp"),
        ("+331", REGISTERED, "sip:+331@trunk.example;transport=udp"),
        ("sip:bob@example.com", PEER, "sip:bob@example.com"),
    ],
)
def test_a_number_is_dialled_at_its_trunk(target: str, trunk: Trunk, uri: str) -> None:
    assert dial_uri(target, trunk) == uri


@pytest.mark.parametrize("target", ["", "a b", "1\r\n2", "sip:bob", "sip:a@b\r\nX: y", "http://x", "1@2"])
def test_what_is_neither_number_nor_uri_is_not_dialled(target: str) -> None:
    with pytest.raises(ValueError, match="not a number or SIP URI"):
        dial_uri(target, PEER)


def test_a_trunk_that_only_calls_in_takes_no_number() -> None:
    with pytest.raises(ValueError, match="takes no outbound calls"):
        dial_uri("1", Trunk(name="in", networks=(IPv4Network("10.0.0.0/8"),)))


SETTINGS = GatewaySettings.model_validate(
    {
        "orchestrator": "ws://h/",
        "token": "t",
        "journals": "/tmp",
        "objects": {"location": "/tmp"},
        "public_address": "203.0.113.5",
        "port": 5080,
    }
)


@pytest.mark.parametrize(
    ("caller", "trunk", "uri"),
    [
        (NAMELESS, None, "<sip:offhook@203.0.113.5:5080>"),
        (NAMELESS, REGISTERED, "<sip:agent@trunk.example>"),
        ("+331", REGISTERED, "<sip:+331@trunk.example>"),
        ("+331", PEER, "<sip:+331@203.0.113.5:5080>"),
    ],
)
def test_we_call_by_the_name_that_the_trunk_knows(caller: str, trunk: Trunk | None, uri: str) -> None:
    assert identity_uri(caller, SETTINGS, trunk) == uri


@pytest.mark.parametrize("caller", ["a b", "1>\r\nX: y", "sip:a@b"])
def test_a_caller_that_is_no_number_is_refused(caller: str) -> None:
    with pytest.raises(ValueError, match="not a number or user"):
        identity_uri(caller, SETTINGS, PEER)
