"""The caller's end of an engine on a Ray cluster."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import (
    BackPressureError,
    DeploymentUnavailableError,
    ReplicaUnavailableError,
    RequestCancelledError,
)
from ray.serve.handle import DeploymentHandle, DeploymentResponseGenerator

from inference.serve.replica import EngineReplica
from orchestrator.core.errors import ConfigError, EngineError, EngineOverloaded, EngineUnavailable

_GONE = (RayActorError, DeploymentUnavailableError, ReplicaUnavailableError, RequestCancelledError)


class RayChannel:
    """A Channel to the deployment behind *handle*, whose engine is called *name*."""

    def __init__(self, name: str, handle: DeploymentHandle[EngineReplica]) -> None:
        self._name = name
        self._unary = handle.ask
        self._streaming = handle.options(stream=True).stream

    async def ask(self, operation: str, arguments: Mapping[str, object]) -> Any:
        """See Channel."""
        response = self._unary.remote(operation, dict(arguments))
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()  # type: ignore[no-untyped-call]
            raise
        except Exception as error:
            raise self._translated(error) from error

    async def stream(self, operation: str, arguments: Mapping[str, object]) -> AsyncGenerator[Any, None]:
        """See Channel."""
        response = self._streaming.remote(operation, dict(arguments))
        assert isinstance(response, DeploymentResponseGenerator)
        try:
            while True:
                try:
                    item = await anext(response)
                except StopAsyncIteration:
                    return
                except Exception as error:
                    raise self._translated(error) from error
                yield item
        finally:
            # Nothing when the answer is complete; otherwise the replica's generator is closed.
            response.cancel()  # type: ignore[no-untyped-call]

    def _translated(self, error: Exception) -> BaseException:
        """*error* as the other placements would raise it."""
        cause = error.cause if isinstance(error, RayTaskError) else error
        match cause:
            case RequestCancelledError() if _being_cancelled():
                # Serve's imitation of a cluster takes the caller's own cancellation for the request's.
                return asyncio.CancelledError()
            case EngineError() | ConfigError() | ValueError():
                return cause
            case BackPressureError():
                return EngineOverloaded(self._name, str(cause))
            case _ if isinstance(cause, _GONE):
                return EngineUnavailable(self._name, f"its replica is gone: {type(cause).__name__}")
            case RayError():
                return EngineUnavailable(self._name, f"{type(cause).__name__}: {cause}")
            case _:
                return EngineError(self._name, f"{type(cause).__name__}: {cause}")


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
