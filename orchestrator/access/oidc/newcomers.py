"""Who may become a user by what a provider says of them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from orchestrator.core.errors import ApiError
from orchestrator.store.providers_repository import Newcomer

_EMAIL: Final = re.compile(r"[^@\s\x00]+@([^@\s\x00]+)")
_LONGEST_EMAIL: Final = 320
_LONGEST_NAME: Final = 200


def newcomer(claims: Mapping[str, Any], domains: Collection[str]) -> Newcomer:
    """Who *claims* speak of. domains: of addresses that are let in. Raises ApiError 403."""
    email = claims.get("email")
    usable = email if isinstance(email, str) and len(email) <= _LONGEST_EMAIL and email.isprintable() else ""
    form = _EMAIL.fullmatch(usable)
    # Some providers write it as text.
    if form is None or claims.get("email_verified") not in (True, "true"):
        why = "the identity provider does not say that an e-mail address of yours is verified"
        raise ApiError(403, "email_unverified", why)
    if form[1].lower() not in domains:
        raise ApiError(403, "email_not_allowed", f"addresses of {form[1].lower()} are not let in by this provider")
    name = claims.get("name")
    shown = "".join(filter(str.isprintable, name)).strip()[:_LONGEST_NAME] if isinstance(name, str) else ""
    return Newcomer(claims["sub"], form[0], shown or form[0])
