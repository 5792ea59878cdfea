"""A recogniser for recordings: a process of its own for as long as it is needed, behind everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from inference.loading import BUILD_ENGINE, HostedEngine
from inference.local.patience import Patience
from inference.local.plan import HostPlan
from inference.local.supervisor import EngineProcess
from inference.manifest import Profile, TranscriptionChoice
from inference.operations import Operation
from inference.placement import Models
from inference.remote import Pulse, RemoteRecognizer
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import Recognizer

OFF: Final = "off"

_NICENESS = 19
# A window of 30 s is 80 s of one core for a large model, and all others go first.
_UNHURRIED = {"recognize": Operation(900.0), "timed": Operation(900.0)}
_PATIENCE = Patience(start=600.0, answer=120.0)


class RecordingRecognizer:
    """The recogniser that *profile* names for recordings. It shares nothing with that of the calls: neither its thread,
    which answers one request at a time, nor a GPU.
    """

    def __init__(self, profile: Profile, models: Models, model: str = "", loader: str = BUILD_ENGINE) -> None:
        """model: in place of the profile's; "off" for none at all. Raises ConfigError for one that there is not."""
        self._choice = _chosen(profile, models, model)
        self._models = models
        self._loader = loader

    @property
    def wanted(self) -> bool:
        """Whether recordings are transcribed at all."""
        return self._choice is not None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Recognizer]:
        """It, loaded; its process ends with the block.

        Raises ConfigError when its model is not here or cannot be run, EngineError when its process does not start.
        """
        assert self._choice is not None, "asked for a recogniser that the profile does not have"
        manifest = self._models.manifest(self._choice.model)
        files = self._models.files(manifest)
        manifest = manifest.model_copy(update={"options": {**manifest.options, **self._choice.options}})
        engine = HostedEngine(manifest=manifest, files=files, threads=self._choice.threads, loader=self._loader)
        plan = HostPlan(name="transcription", engines=(engine,), niceness=_NICENESS)
        async with EngineProcess(plan, _PATIENCE) as process:
            pulse = Pulse(lambda: process.restarts if process.alive else None)
            channel = process.channel(manifest.name)
            yield RemoteRecognizer(manifest.name, channel, _UNHURRIED, process.gauge(), pulse)


def _chosen(profile: Profile, models: Models, model: str) -> TranscriptionChoice | None:
    if model in {"", OFF}:
        return None if model else profile.transcription
    if (found := models.manifest(model).kind) != "stt":
        raise ConfigError(f"settings: transcription: {model!r} is of kind {found!r}; a model of kind 'stt' is accepted")
    given = profile.transcription or TranscriptionChoice(model=model)
    return given.model_copy(update={"model": model})
