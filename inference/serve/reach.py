"""The way to an engine that is deployed on a Ray cluster already."""

from __future__ import annotations

import asyncio
import os

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from inference.manifest import Kind
from inference.placed import RayCluster
from inference.serve.deployments import application
from inference.serve.remote import RayChannel
from orchestrator.core.errors import EngineUnavailable


async def reached(kind: Kind, model: str, cluster: RayCluster) -> RayChannel:
    """A channel to the application of *kind*. Raises EngineUnavailable when there is none, or no cluster."""
    return await asyncio.to_thread(_reached, kind, model, cluster)


def _reached(kind: Kind, model: str, cluster: RayCluster) -> RayChannel:
    try:
        if not ray.is_initialized():
            # Ray reads this when it starts: nothing about its use leaves the company's network.
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
            ray.init(address=cluster, namespace="offhook", include_dashboard=False, log_to_driver=False)
        return RayChannel(model, serve.get_app_handle(application(kind)))
    except (ConnectionError, RayError, RayServeException, RuntimeError) as error:
        raise EngineUnavailable(model, f"is on no cluster that can be reached: {type(error).__name__}") from error
