"""SIP URIs: who is meant by one, and the one that means somebody."""

from __future__ import annotations

import re
from urllib.parse import unquote

from telephony.sip.settings import GatewaySettings, Trunk

NAMELESS = ""

_USER = re.compile(r"sips?:([^@>\s;:]+)[^@>\s]*@|tel:([^;>\s]+)", re.IGNORECASE)
_REQUEST_LINE = re.compile(r"^INVITE\s+(\S+)\s+SIP/2\.0", re.IGNORECASE)
_NUMBER = re.compile(r"[\w.+*#-]+", re.ASCII)
_URI = re.compile(r"sips?:[^\s@<>]+@[^\s@<>]+")


def user_of(uri: str) -> str:
    """The user of the first SIP or tel URI in *uri*, decoded, without its parameters; "" when there is none."""
    found = _USER.search(uri)
    user = unquote(found[1] or found[2]) if found else ""
    return user.encode("utf-8", "replace").decode()


def called_user(message: str, to: str, trunk: Trunk) -> str:
    """Whom an INVITE is for: its Request-URI, or its To header when that only names our own registration."""
    line = _REQUEST_LINE.match(message)
    user = user_of(line[1]) if line else ""
    return user_of(to) if user == trunk.user else user


def dial_uri(target: str, trunk: Trunk) -> str:
    """The URI to dial: *target* as it is when it is one, else a number at the trunk. Raises ValueError."""
    if _URI.fullmatch(target):
        return target
    if not _NUMBER.fullmatch(target):
        raise ValueError(f"not a number or SIP URI: {target!r}")
    if trunk.target is None:
        raise ValueError(f"trunk {trunk.name!r} takes no outbound calls: it has neither registrar nor peer")
    host = trunk.home if trunk.registrar else trunk.target
    return f"sip:{target}@{host};transport={trunk.transport}"


def identity_uri(caller: str, settings: GatewaySettings, trunk: Trunk | None) -> str:
    """Who calls, for the From header: *caller* or, when that is nameless, the trunk's user. Raises ValueError."""
    if caller != NAMELESS and not _NUMBER.fullmatch(caller):
        raise ValueError(f"not a number or user: {caller!r}")
    user = caller or (trunk.user if trunk else None) or "offhook"
    # A registered trunk knows its accounts by its own domain; a peer knows us by our address.
    own = f"{settings.public_address or settings.bind}:{settings.port}"
    return f"<sip:{user}@{trunk.home if trunk and trunk.user and trunk.home else own}>"
