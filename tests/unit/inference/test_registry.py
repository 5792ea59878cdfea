from __future__ import annotations

from pathlib import Path

import pytest

from inference.manifest import KINDS, Manifest
from inference.registry import Registry, build_engine, engine_module
from orchestrator.core.errors import ConfigError


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(cache=tmp_path)


def test_every_shipped_profile_finds_models_of_the_right_kind(registry: Registry) -> None:
    assert registry.profiles() == ["cluster", "cpu", "cpu-cluster", "cpu-tiny", "one-gpu", "stub"]
    for profile in map(registry.profile, registry.profiles()):
        models = {choice.model for choice in profile.engines.values()}
        assert len(models) == len(KINDS)
        if profile.transcription is not None:
            models.add(profile.transcription.model)
        assert {manifest.name for manifest in registry.of_profile(profile)} == models


def test_every_shipped_profile_has_options_for_transcription_that_its_engine_takes(registry: Registry) -> None:
    for profile in map(registry.profile, registry.profiles()):
        if (choice := profile.transcription) is not None:
            manifest = registry.manifest(choice.model)
            given = manifest.model_copy(update={"options": {**manifest.options, **choice.options}})
            assert given.options_as(engine_module(manifest).Options).beam_size == 5


def test_every_shipped_manifest_is_good(registry: Registry) -> None:
    names = [manifest.name for manifest in registry.manifests()]
    assert len(names) == len(set(names)) >= 19


def test_every_shipped_manifest_has_options_that_its_engine_takes(registry: Registry) -> None:
    for manifest in registry.manifests():
        manifest.options_as(engine_module(manifest).Options)


def test_an_unknown_model_is_refused_with_the_names_there_are(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"no model is called 'gpt'.*smollm2-135m"):
        registry.manifest("gpt")


def test_an_unknown_profile_is_refused_with_the_names_there_are(registry: Registry) -> None:
    with pytest.raises(ConfigError, match=r"no profile is called 'tpu'.*cluster, cpu, cpu-cluster, cpu-tiny, one-gpu"):
        registry.profile("tpu")


def test_files_that_were_not_pulled_are_refused_with_the_command_that_pulls_them(registry: Registry) -> None:
    with pytest.raises(ConfigError, match="offhook models pull smollm2-135m"):
        registry.files(registry.manifest("smollm2-135m"))


def test_a_profile_whose_model_is_of_another_kind_is_refused(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
    (tmp_path / "vad" / "ear.toml").write_text(
        'name = "ear"\nkind = "vad"\nengine = "silero"\nlicence = "MIT"\nlanguages = ["*"]\n'
    )
    (tmp_path / "profiles").mkdir()
    engines = "".join(f'[engines.{kind}]\nmodel = "ear"\n' for kind in KINDS)
    (tmp_path / "profiles" / "odd.toml").write_text(f'name = "odd"\nplacement = "local"\n{engines}')
    with pytest.raises(ConfigError, match=r"engines\.stt\.model: 'ear' is of kind 'vad'"):
        Registry(tmp_path, tmp_path / "cache").profile("odd")


def test_an_unknown_engine_is_refused_with_the_engines_there_are(tmp_path: Path) -> None:
    manifest = Manifest.model_validate(
        {"name": "x", "kind": "embed", "engine": "word2vec", "licence": "MIT", "languages": ["en"]}
    )
    with pytest.raises(ConfigError, match=r"models/embed/x\.toml: engine: there is no 'word2vec' for embed; .*onnx"):
        build_engine(manifest, tmp_path, threads=1)


def test_a_module_that_is_no_engine_is_refused_as_one(tmp_path: Path) -> None:
    manifest = Manifest.model_validate(
        {"name": "x", "kind": "stt", "engine": "agreement", "licence": "MIT", "languages": ["en"]}
    )
    with pytest.raises(ConfigError, match=r"there is no 'agreement' for stt; there are: faster_whisper"):
        build_engine(manifest, tmp_path, threads=1)
