"""Ray Serve deployments made of a profile."""

from __future__ import annotations

import math
from typing import Any

from ray import serve
from ray.serve.api import RunTarget

from inference.environment import engine_environment
from inference.loading import HostedEngine
from inference.manifest import EngineChoice, Kind, Profile
from inference.placed import Hosted
from inference.serve.replica import EngineReplica

# Requests that one replica works on at once: what its engine batches or overlaps. More wait at the router, and beyond
# the queue they are refused, because a caller on the phone has no use for an answer that comes late.
_AT_ONCE: dict[Kind, int] = {"llm": 32, "stt": 4, "tts": 4, "embed": 16, "sentiment": 16}
_QUEUE = 64


def application(kind: Kind) -> str:
    """The name of the Serve application of *kind*."""
    return f"offhook-{kind}"


def targets(profile: Profile, hosted: Hosted) -> list[RunTarget]:
    """One application for each engine of *hosted*, in order; none is reachable over HTTP."""
    return [
        RunTarget(
            serve.deployment(**_options(kind, profile.engines[kind], engine))(EngineReplica).bind(),
            name=application(kind),
            route_prefix=None,
        )
        for kind, engine in hosted.items()
    ]


def reserved_cpus(profile: Profile, hosted: Hosted) -> int:
    """The CPUs that all replicas reserve together when there are as many as *profile* allows."""
    choices = profile.engines
    return math.ceil(
        sum(
            engine.manifest.resources.cpus * (choices[kind].max_replicas or choices[kind].replicas)
            for kind, engine in hosted.items()
        )
    )


def _options(kind: Kind, choice: EngineChoice, engine: HostedEngine) -> dict[str, Any]:
    resources = engine.manifest.resources
    return {
        "name": engine.manifest.name,
        "user_config": engine.model_dump(mode="json", by_alias=True),
        "max_ongoing_requests": _AT_ONCE[kind],
        "max_queued_requests": _QUEUE,
        "ray_actor_options": {
            "num_cpus": resources.cpus,
            "num_gpus": resources.gpus,
            "memory": resources.memory_mb * 2**20,
            "runtime_env": {"env_vars": engine_environment(choice.threads)},
        },
        # A replica that does not answer these is replaced; one that goes finishes the sentences it is speaking.
        "health_check_period_s": 5,
        "health_check_timeout_s": 15,
        "graceful_shutdown_wait_loop_s": 1,
        "graceful_shutdown_timeout_s": 30,
    } | _replicas(kind, choice)


def _replicas(kind: Kind, choice: EngineChoice) -> dict[str, Any]:
    if choice.max_replicas is None:
        return {"num_replicas": choice.replicas}
    return {
        "autoscaling_config": {
            "min_replicas": choice.replicas,
            "max_replicas": choice.max_replicas,
            # Half of what a replica can do at once, so that a burst of turns finds room while another one starts.
            "target_ongoing_requests": max(1, _AT_ONCE[kind] // 2),
            "upscale_delay_s": 5,
            "downscale_delay_s": 300,
        }
    }
