"""What is said about identity providers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, SecretStr, StrictBool

from orchestrator.access.roles import Role
from orchestrator.api.schemas import Asked, Told
from orchestrator.store.providers_repository import Provider, Terms

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]
Issuer = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^https?://[!-~]+$")]
ClientId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[!-~]+$")]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=1024)]
Host = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.-]+(:[0-9]+)?$")]
Domain = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9.-]+$")]


class ProviderChange(Asked):
    """All that may change.

    client_secret: the one that is there stays when absent; hosts: beside the issuer's own, that its endpoints may be
    on; domains: of e-mail addresses whose owners become users by signing in; role: what they become.
    """

    name: Name
    client_id: ClientId
    client_secret: Secret | None = None
    hosts: Annotated[tuple[Host, ...], Field(max_length=8)] = ()
    domains: Annotated[tuple[Domain, ...], Field(max_length=100)] = ()
    role: Role = Role.SUPPORT
    enabled: StrictBool = True

    def terms(self) -> Terms:
        """As they are kept."""
        hosts, domains = (tuple(sorted({one.lower() for one in names})) for names in (self.hosts, self.domains))
        return Terms(self.name, self.client_id, hosts, domains, self.role.value, self.enabled)


class ProviderCreate(ProviderChange):
    """issuer: its address, to the letter as the provider tells it; it never changes."""

    issuer: Issuer


class ProviderRead(Told):
    """A provider; its client's secret is shown to nobody."""

    id: UUID
    issuer: str
    name: str
    client_id: str
    hosts: list[str]
    domains: list[str]
    role: Role
    enabled: bool
    created_at: datetime

    @classmethod
    def of(cls, provider: Provider) -> ProviderRead:
        """What is told of *provider*."""
        terms = provider.terms
        return cls(
            id=provider.id,
            issuer=provider.issuer,
            name=terms.name,
            client_id=terms.client_id,
            hosts=list(terms.hosts),
            domains=list(terms.domains),
            role=Role(terms.role),
            enabled=terms.enabled,
            created_at=provider.created_at,
        )
