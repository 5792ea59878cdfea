"""What a profile asks of the cluster."""

from __future__ import annotations

from typing import Any

from inference.loading import HostedEngine
from inference.manifest import EngineChoice, Manifest, Profile, Resources
from inference.serve.deployments import targets
from tests.contracts.reference import ReferenceModels, reference_profile


def deployment(choice: dict[str, Any], resources: Resources) -> Any:
    manifest: Manifest = ReferenceModels().manifest("reference-llm").model_copy(update={"resources": resources})
    profile: Profile = reference_profile()
    engines = {**profile.engines, "llm": EngineChoice(model=manifest.name, **choice)}
    hosted = HostedEngine(manifest=manifest, files=ReferenceModels().files(manifest), threads=3)
    (target,) = targets(profile.model_copy(update={"engines": engines}), {"llm": hosted})
    assert (target.name, target.route_prefix) == ("offhook-llm", None)
    return target.target._bound_deployment


def test_a_replica_reserves_what_its_manifest_says() -> None:
    made = deployment({"replicas": 2}, Resources(cpus=2, gpus=0.5, memory_mb=100))
    options = made.ray_actor_options
    assert made.num_replicas == 2
    assert (options["num_cpus"], options["num_gpus"], options["memory"]) == (2, 0.5, 100 * 2**20)


def test_a_replica_is_bounded_in_threads_and_calls_nobody() -> None:
    environment = deployment({"threads": 3}, Resources()).ray_actor_options["runtime_env"]["env_vars"]
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["VLLM_NO_USAGE_STATS"] == environment["HF_HUB_OFFLINE"] == "1"


def test_replicas_grow_with_the_requests_when_a_profile_allows_more() -> None:
    scaling = deployment({"replicas": 1, "max_replicas": 4}, Resources())._deployment_config.autoscaling_config
    assert (scaling.min_replicas, scaling.max_replicas, scaling.target_ongoing_requests) == (1, 4, 16)
