"""The cluster's end of an engine, without a cluster."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from inference.loading import HostedEngine
from inference.serve.replica import EngineReplica
from orchestrator.core.time_slice import PROMPT, ask_for_slices, slice_seconds
from tests.contracts.reference import ReferenceModels

_at_loading: list[float] = []


def noting_slices(*_: object) -> object:
    """A loader that notes the slices with which it loads."""
    _at_loading.append(slice_seconds())
    return object()


def test_an_engine_is_loaded_with_usual_slices_whatever_its_replica_inherited() -> None:
    models = ReferenceModels()
    manifest = models.manifest("reference-llm")
    hosted = HostedEngine(
        manifest=manifest, files=models.files(manifest), threads=1, loader=f"{__name__}:{noting_slices.__name__}"
    )

    def loaded() -> bool:
        if not ask_for_slices(PROMPT):
            return False
        asyncio.run(EngineReplica().reconfigure(hosted.model_dump(mode="json", by_alias=True)))
        return True

    with ThreadPoolExecutor(1) as threads:  # so that the tests keep their slices
        if not threads.submit(loaded).result():
            pytest.skip("this kernel gives no slices")
    assert _at_loading.pop() > PROMPT
