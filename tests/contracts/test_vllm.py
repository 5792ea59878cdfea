"""The GPU engine, on the CPU build of vLLM, in a supervised process: `make test-vllm`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from inference.loading import HostedEngine
from inference.local.patience import Patience
from inference.local.plan import HostPlan
from inference.local.supervisor import EngineProcess
from inference.manifest import Manifest
from inference.operations import OPERATIONS
from inference.registry import Registry
from inference.remote import RemoteLanguageModel
from orchestrator.core.errors import ConfigError
from orchestrator.core.ports import LanguageModel
from tests.contracts.language_model import LanguageModelCases
from tests.contracts.safetensors import convert

pytestmark = [pytest.mark.vllm, pytest.mark.asyncio(loop_scope="module")]

MANIFEST = Manifest(
    name="smollm2-vllm",
    kind="llm",
    engine="vllm",
    licence="Apache-2.0",
    languages=("en",),
    options={"context": 2048, "requests": 8, "dtype": "float32", "eager": True, "block": 32, "cpu_cache_gb": 1},
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process() -> AsyncIterator[EngineProcess]:
    pytest.importorskip("vllm")
    registry = Registry()
    try:
        weights = registry.files(registry.manifest("smollm2-135m"))
    except ConfigError as missing:
        pytest.skip(str(missing))
    files = convert(weights / "model.gguf", registry.weights.cache / "tests" / "smollm2-safetensors")
    hosted = HostedEngine(manifest=MANIFEST, files=files, threads=2)
    async with EngineProcess(HostPlan(name="vllm", engines=(hosted,)), Patience()) as started:
        yield started


class TestVllm(LanguageModelCases):
    @pytest.fixture
    def llm(self, process: EngineProcess) -> LanguageModel:
        return RemoteLanguageModel(MANIFEST.name, process.channel(MANIFEST.name), OPERATIONS["llm"], process.gauge())
