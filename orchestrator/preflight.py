"""What can be known to keep the product from starting, before anything is fetched or started."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from inference.manifest import Manifest
from inference.packages import refuse_missing
from inference.registry import Registry
from orchestrator.addresses import Transport, hindrance
from orchestrator.agents import AgentFile, read_agents
from orchestrator.core.errors import ConfigError
from orchestrator.demo import DEMO_AGENTS
from orchestrator.settings import Settings, read_trunks
from telephony.recording import open_objects


def refuse_what_cannot_start(settings: Settings, registry: Registry) -> None:
    """Raises ConfigError for the first setting, agent, model, package, folder or address that cannot be used."""
    profile = registry.profile(settings.profile)
    manifests = registry.of_profile(profile)
    refuse_missing(profile, manifests)
    agents = read_agents(settings.agents or DEMO_AGENTS)
    _refuse_other_languages(agents, [registry.manifest(profile.engines[kind].model) for kind in ("stt", "tts")])
    read_trunks(settings.trunks)
    make_folders(settings)
    for name, transport, host, port in listening(settings):
        if found := hindrance(transport, host, port):
            raise ConfigError(f"settings: {name}: cannot listen on {host}:{port} ({transport}): {found}")


def make_folders(settings: Settings) -> None:
    """Make the folder for data, and those for recordings. Raises ConfigError when that cannot be."""
    try:
        settings.journals.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"settings: data: {settings.data} cannot be made: {error.strerror}; {_ANOTHER_FOLDER}"
        ) from error
    if not os.access(settings.journals, os.W_OK):
        raise ConfigError(f"settings: data: {settings.data} cannot be written by this user; {_ANOTHER_FOLDER}")
    open_objects(settings.object_store)


_ANOTHER_FOLDER = "choose another folder with --data or OFFHOOK_DATA"


def listening(settings: Settings) -> Iterator[tuple[str, Transport, str, int]]:
    """Where the product listens: the setting, the transport, the address and the port."""
    yield "http_port", "TCP", settings.http_host, settings.http_port
    transports: Sequence[Transport] = ("UDP", "TCP")
    for port in settings.gateway_ports:
        for transport in transports:
            yield "sip_bind and sip_ports", transport, str(settings.sip_bind), port


def _refuse_other_languages(agents: Iterable[AgentFile], models: Sequence[Manifest]) -> None:
    """Raises ConfigError for an agent that one of *models* cannot hear or speak for."""
    for agent in agents:
        for model in models:
            if not {"*", agent.language.split("-")[0]} & set(model.languages):
                raise ConfigError(
                    f"agent {agent.name}: language: {agent.language!r} is not spoken by model {model.name!r}, "
                    f"which knows {', '.join(model.languages)}"
                )
