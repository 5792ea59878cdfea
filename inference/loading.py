"""An engine to be run somewhere, in a form that can be sent there.

Besides the methods of its port, an engine may have `async warm()`, called once before the first request,
`async check()`, which raises EngineError once it can serve no more, and `async close()`, which frees what it holds.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from inference.manifest import Manifest

BUILD_ENGINE = "inference.registry:build_engine"
"""The loader of the product: "module:function", called with a manifest, a folder and a number of threads."""


class HostedEngine(BaseModel):
    """One engine. files: the folder with its weights; threads: how many it may keep busy; loader: see BUILD_ENGINE."""

    model_config = ConfigDict(frozen=True)

    manifest: Manifest
    files: Path
    threads: int = Field(ge=1)
    loader: str = BUILD_ENGINE

    async def load(self) -> Any:
        """The engine, warm. Blocks the event loop while it loads. Raises ConfigError when it cannot be run."""
        module, _, function = self.loader.partition(":")
        engine = getattr(importlib.import_module(module), function)(self.manifest, self.files, self.threads)
        if (warm := getattr(engine, "warm", None)) is not None:
            await warm()
        return engine


async def unload(engine: Any) -> None:
    """Let *engine* free what it holds."""
    if (close := getattr(engine, "close", None)) is not None:
        await close()


async def check(engine: Any) -> None:
    """Raises EngineError when *engine* says of itself that it can no longer serve."""
    if (ask := getattr(engine, "check", None)) is not None:
        await ask()
