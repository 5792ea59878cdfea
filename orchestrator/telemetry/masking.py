"""What may not be read in a log: caller content is masked, secrets are removed, wherever they are nested."""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import Final, TypeAlias
from uuid import UUID

REDACTED: Final = "[redacted]"

_PII_PREFIX = "pii_"
_NUMBER_KEYS = frozenset({"pii_caller", "pii_callee", "pii_number", "pii_phone"})
_SECRET_KEY = re.compile(
    r"token|secret|passw(or)?d|passphrase|authorization|credential|cookie|api_?key|private_?key|dsn|database_url",
    re.IGNORECASE,
)
# The same in running text: "token=…", "Authorization: Bearer …", "postgresql://user:password@host".
_SECRET_TEXT = re.compile(
    r"""(?P<name>(?:token|secret|passw(?:or)?d|authorization|api_?key)["']?\s*[=:]\s*["']?)(?:(?:bearer|basic|digest)\s+)?[^\s"'&,;]+
    |(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}
    |(?P<login>://[^/\s:@]*:)[^@\s/]+(?=@)""",
    re.IGNORECASE | re.VERBOSE,
)

# A random salt for each process: equal texts can be told apart from different ones within a run, and a short text
# cannot be found again by hashing guesses.
_SALT = secrets.token_bytes(16)
_PLAIN = (NoneType, bool, int, float)
_TEXTUAL: TypeAlias = UUID | PurePath | datetime | date | time | timedelta
_NESTED = (Mapping, list, tuple, set, frozenset)
# Nobody logs that deep on purpose; it is a structure that holds itself.
_DEEPEST = 8


def is_private(key: str) -> bool:
    """Whether what is logged under *key* is a caller's, and masked."""
    return key.startswith(_PII_PREFIX)


def masked(value: object, *, number: bool = False) -> str:
    """A stand-in for caller content: its length and a salted hash. number: its last two digits instead of the hash."""
    text = value if isinstance(value, str) else repr(value)
    digits = re.sub(r"\D", "", text)
    if number and len(digits) >= 6:
        return f"[{len(digits)} digits …{digits[-2:]}]"
    fingerprint = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=4, key=_SALT).hexdigest()
    return f"[{len(text)} characters #{fingerprint}]"


def without_secrets(text: str) -> str:
    """*text* without what looks like a secret in it."""
    return _SECRET_TEXT.sub(lambda match: f"{match['name'] or match['scheme'] or match['login']}{REDACTED}", text)


def safe(key: str, value: object, depth: int = 0) -> object:
    """*value* as it may be logged under *key*: JSON values, with everything private masked.

    Of objects that are not known to be harmless only the type is told, because their repr may hold anything.
    """
    if is_private(key):
        return masked(value, number=key in _NUMBER_KEYS)
    # Counts of tokens and times to the first one are no secrets.
    if _SECRET_KEY.search(key) and not ("token" in key and isinstance(value, int | float)):
        return REDACTED
    return _harmless(value, depth)


def _harmless(value: object, depth: int) -> object:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, _NESTED) and depth == _DEEPEST:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {without_secrets(str(name)): safe(str(name), item, depth + 1) for name, item in value.items()}
    if isinstance(value, _NESTED):
        return [safe("", item, depth + 1) for item in value]
    if isinstance(value, str | _TEXTUAL) or (isinstance(value, float) and not math.isfinite(value)):
        return without_secrets(str(value))
    return value if isinstance(value, _PLAIN) else f"<{type(value).__name__}>"


def private_texts(value: object, key: str = "", depth: int = 0) -> Iterator[str]:
    """Every text under a pii key in *value*, however deep."""
    if isinstance(value, Mapping):
        inside = [(key if is_private(key) else str(name), item) for name, item in value.items()]
    elif isinstance(value, _NESTED):
        inside = [(key, item) for item in value]
    else:
        inside = []
        if is_private(key):
            yield value if isinstance(value, str) else repr(value)
    if depth <= _DEEPEST:
        for name, item in inside:
            yield from private_texts(item, name, depth + 1)
