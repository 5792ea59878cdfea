from __future__ import annotations

import base64
import json
from uuid import uuid4

import jwt
import pytest

from orchestrator.access.roles import Role
from orchestrator.access.tokens import ACCESS_SECONDS, AccessTokens, Identity
from orchestrator.core.errors import ApiError

KEY = b"k" * 32
WHO = Identity(uuid4(), uuid4(), Role.SUPPORT, uuid4())


def at(seconds: float) -> AccessTokens:
    """Tokens whose clock stands still."""
    return AccessTokens(KEY, lambda: seconds)


def code_of(tokens: AccessTokens, token: str) -> str:
    with pytest.raises(ApiError) as refused:
        tokens.read(token)
    assert refused.value.status == 401
    return refused.value.code


def rewritten(token: str, **claims: object) -> str:
    """*token* with other claims and the signature that it had."""
    header, body, signature = token.split(".")
    held = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = base64.urlsafe_b64encode(json.dumps({**held, **claims}).encode()).decode().rstrip("=")
    return f"{header}.{other}.{signature}"


def test_a_token_speaks_for_whom_it_was_issued_to() -> None:
    assert at(1000.0).read(at(1000.0).issue(WHO)) == WHO


def test_a_token_is_good_until_it_expires() -> None:
    token = at(1000.0).issue(WHO)
    assert at(1000.0 + ACCESS_SECONDS - 1).read(token) == WHO
    assert code_of(at(1000.0 + ACCESS_SECONDS), token) == "token_expired"


@pytest.mark.parametrize("claims", [{"role": "admin"}, {"exp": 10**10}, {"account": str(uuid4())}])
def test_a_token_whose_claims_were_changed_is_refused(claims: dict[str, object]) -> None:
    assert code_of(at(1000.0), rewritten(at(1000.0).issue(WHO), **claims)) == "bad_token"


def test_a_token_of_another_key_is_refused() -> None:
    assert code_of(at(1000.0), AccessTokens(b"x" * 32, lambda: 1000.0).issue(WHO)) == "bad_token"


def test_a_token_without_a_signature_is_refused() -> None:
    claims = jwt.decode(at(1000.0).issue(WHO), options={"verify_signature": False})
    assert code_of(at(1000.0), jwt.encode(claims, None, algorithm="none")) == "bad_token"


@pytest.mark.parametrize(
    "claims", [{"role": "owner"}, {"sub": "nobody"}, {"sub": None}, {"account": 7}, {"exp": "soon"}]
)
def test_a_token_with_claims_of_the_wrong_kind_is_refused(claims: dict[str, object]) -> None:
    held = jwt.decode(at(1000.0).issue(WHO), options={"verify_signature": False})
    assert code_of(at(1000.0), jwt.encode({**held, **claims}, KEY, algorithm="HS256")) == "bad_token"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\u00e9.\u00e9.\u00e9"])
def test_what_is_no_token_is_refused(token: str) -> None:
    assert code_of(at(1000.0), token) == "bad_token"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        AccessTokens(b"short")
