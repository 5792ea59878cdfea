"""What a provider says of itself, remembered for a while. Source: OpenID Connect Discovery 1.0."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from orchestrator.access.oidc.addresses import host_of_url, is_secure
from orchestrator.access.oidc.web import Web, bad_answer
from orchestrator.core.clock import Clock
from orchestrator.core.errors import ApiError
from orchestrator.store.providers_repository import Provider

KEPT_SECONDS = 3600.0
# A token under an unknown key may mean that keys were changed, or that somebody makes tokens up.
SECONDS_BETWEEN_KEYS = 60.0
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where things are done.

    people: tells of who signed in, if there is one that may be asked; posts_secret: the token endpoint takes the
    client's secret in the form alone.
    """

    authorization: str
    token: str
    keys: str
    people: str | None
    posts_secret: bool


class Discovery:
    """Endpoints and keys of providers. loopback: whether they may be on this machine, without TLS."""

    def __init__(self, web: Web, now: Clock, loopback: bool) -> None:
        self._web = web
        self._now = now
        self._loopback = loopback
        self._told: OrderedDict[str, tuple[float, dict[str, Any]]] = OrderedDict()

    async def endpoints(self, provider: Provider) -> Endpoints:
        """Those of *provider*. Raises ApiError 502."""
        address = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        told = await self._recalled(address, KEPT_SECONDS)
        try:
            return self._read(provider, told)
        except ApiError:
            self._told.pop(address, None)  # it may be mended at any moment
            raise

    async def keys(self, endpoints: Endpoints, *, renewed: bool = False) -> list[dict[str, Any]]:
        """The keys that a provider signs with; renewed: a key was missing. Raises ApiError 502."""
        told = await self._recalled(endpoints.keys, SECONDS_BETWEEN_KEYS if renewed else KEPT_SECONDS)
        keys = told.get("keys")
        if not isinstance(keys, list):
            raise bad_answer("it tells no keys")
        return [key for key in keys if isinstance(key, dict)]

    def _read(self, provider: Provider, told: dict[str, Any]) -> Endpoints:
        if told.get("issuer") != provider.issuer:
            raise bad_answer("it calls itself by another issuer")
        methods = told.get("token_endpoint_auth_methods_supported")
        posts = isinstance(methods, list) and "client_secret_post" in methods and "client_secret_basic" not in methods
        names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        authorization, token, keys = (self._endpoint(provider, name, told.get(name)) for name in names)
        try:
            people = self._endpoint(provider, "userinfo_endpoint", told.get("userinfo_endpoint"))
        except ApiError:
            people = None  # who puts everything into the ID token needs none
        return Endpoints(authorization, token, keys, people, posts)

    def _endpoint(self, provider: Provider, name: str, url: object) -> str:
        if not isinstance(url, str) or not is_secure(url, self._loopback):
            raise bad_answer(f"its {name} is no https address")
        if host_of_url(url) not in {host_of_url(provider.issuer), *provider.terms.hosts}:
            raise bad_answer(f"its {name} is neither on the issuer's host nor on one of `hosts`")
        return url

    async def _recalled(self, url: str, seconds: float) -> dict[str, Any]:
        """What *url* said at most so many seconds ago."""
        known = self._told.get(url)
        if known is not None and 0 <= self._now() - known[0] < seconds:
            return known[1]
        told = await self._web.get(url)
        self._told[url] = self._now(), told
        self._told.move_to_end(url)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return told
