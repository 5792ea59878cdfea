"""What a profile asks to be installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.manifest import KINDS, Manifest, Profile
from inference.packages import engines_of, missing, needed, refuse_missing, remedy
from inference.registry import Registry
from orchestrator.core.errors import ConfigError


def chosen(name: str, cache: Path) -> tuple[Profile, list[Manifest]]:
    registry = Registry(cache=cache)
    profile = registry.profile(name)
    return profile, registry.of_profile(profile)


@pytest.mark.parametrize("profile", ["cpu-tiny", "cpu"])
def test_a_profile_without_a_gpu_needs_nothing_beyond_the_local_packages(profile: str, tmp_path: Path) -> None:
    packages = needed(*chosen(profile, tmp_path))
    assert {"faster_whisper", "piper", "xllamacpp", "onnxruntime"} <= set(packages)
    assert "or install offhook[local]" in remedy(packages)


def test_a_gpu_asks_for_vllm_and_torch_and_a_cluster_for_ray_too(tmp_path: Path) -> None:
    one, many = needed(*chosen("one-gpu", tmp_path)), needed(*chosen("cluster", tmp_path))
    assert {"vllm": "llm with vllm", "torch": "sentiment with transformers"}.items() <= one.items()
    assert "xllamacpp" not in one
    assert set(many) == {*one, "ray"}


def test_packages_are_added_with_one_command() -> None:
    assert remedy(["vllm", "torch"]) == 'run `make extras EXTRAS="torch vllm"`, or install offhook[torch,vllm]'
    assert remedy(["piper"]) == "run `make run`, or install offhook[local]"


def test_a_profile_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    profile, manifests = chosen("one-gpu", tmp_path)
    if not missing(needed(profile, manifests)):
        pytest.skip("everything is installed here")
    with pytest.raises(ConfigError, match=r"profile 'one-gpu' needs .*vllm.*: run `make extras EXTRAS="):
        refuse_missing(profile, manifests)


def test_engines_are_the_modules_that_can_be_loaded() -> None:
    engines = {name for kind in KINDS for name in engines_of(kind)}
    assert {"faster_whisper", "llama_cpp", "vllm", "piper", "silero", "smart_turn", "onnx", "linear"} <= engines
    assert not {"agreement", "decoding", "utterance", "chat", "slots", "graph", "trimming", "minilm"} & engines
