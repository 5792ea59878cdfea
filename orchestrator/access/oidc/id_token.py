"""ID tokens: what a provider signs of who has signed in there. Source: OpenID Connect Core 1.0, section 3.1.3.7."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from orchestrator.core.errors import ApiError

# Signatures that only the provider can make: no "none", and no HS*, whose key others have.
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
_KINDS: Final = frozenset({"RSA", "EC", "OKP"})
_LEEWAY_SECONDS: Final = 60
_LONGEST: Final = 16_384
_LONGEST_SUBJECT: Final = 255  # section 2


class UnknownKey(Exception):
    """The token names a key that the provider did not tell."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. access_token: which came with it."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str | None


def read(token: object, keys: Sequence[Mapping[str, Any]], expected: Expected, now: float) -> dict[str, Any]:
    """The claims of *token*.

    keys: JWKs; now: seconds since 1970. Raises UnknownKey; ApiError 401 "bad_id_token", which says what was wrong.
    """
    if not isinstance(token, str) or len(token) > _LONGEST:
        raise _bad("there is none, or it is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header.get("alg") not in ALGORITHMS:
            raise _bad("its signature is of a kind that is not taken")
        opened = jwt.decode(token, _key(header, keys), algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            opened.claims,
            opened.header,
            {
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
            },
            {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token},
        )
        claims.validate(int(now), _LEEWAY_SECONDS)
    except JoseError as error:
        raise _bad(str(error.error)) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _bad("it is malformed") from error
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _bad("it names nobody")
    return dict(claims)


def _key(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> Key:
    """The key that *header* names; the only one when it names none."""
    fit = [
        key
        for key in keys
        if key.get("kty") in _KINDS
        and key.get("use", "sig") == "sig"
        and key.get("alg", header["alg"]) == header["alg"]
        and header.get("kid") in {None, key.get("kid")}
    ]
    if len(fit) != 1:
        raise UnknownKey
    return JWKRegistry.import_key({name: value for name, value in fit[0].items() if name != "key_ops"})


def _bad(why: str) -> ApiError:
    return ApiError(401, "bad_id_token", f"the identity provider's token is not believed: {why}")
