from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from inference.manifest import read_manifest, read_profile
from models import MODELS_DIR
from orchestrator.core.errors import ConfigError

SHA = "0" * 64
GOOD = f"""
name = "voice"
kind = "tts"
engine = "piper"
licence = "MIT"
languages = ["en"]
[files]
"voice.onnx" = {{ sha256 = "{SHA}" }}
[[sources]]
from = "pypi:some-voice==1.0.0"
root = "some_voice/data"
[options]
speed = 1.0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "tts" / "voice.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_a_good_manifest_is_read(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, GOOD))
    (part,) = manifest.members(manifest.sources[0])["voice.onnx"]
    assert str(part) == "pypi:some-voice==1.0.0#some_voice/data/voice.onnx"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "tts"', 'kind = "speech"', "kind: Input should be 'vad', 'stt', 'llm', 'tts'"),
        ('engine = "piper"', 'engine = "piper"\ncolour = "red"', "colour: is not a known field"),
        ('licence = "MIT"', "", "licence: Field required"),
        ('languages = ["en"]', "languages = []", "languages: Tuple should have at least 1 item"),
        (SHA, "abc", "files.voice.onnx.sha256: String should match pattern"),
        ("pypi:some-voice==1.0.0", "pypi:some-voice", "sources.0.from: must be hf:org/repo@revision, pypi:"),
        ("pypi:some-voice==1.0.0", "ftp:some-voice", "or path:/folder (got 'ftp:some-voice')"),
        (SHA, "first-use", 'sha256 = "first-use", which is accepted for hf: and path: sources only'),
        ('"voice.onnx" =', '"../voice.onnx" =', "must be a plain relative path"),
        ('root = "some_voice/data"', 'members = { "other" = "x" }', "members name files that are not listed"),
        ('name = "voice"', 'name = "choir"', "name: is 'choir', but the file is called 'voice'"),
        ('kind = "tts"', 'kind = "stt"', "kind: is 'stt', but the file lies in 'tts'"),
        ("[options]", "[options", "is not valid TOML"),
    ],
)
def test_a_bad_manifest_is_refused_with_its_file_and_field(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = written(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        read_manifest(path)
    assert str(path) in str(refused.value)
    assert said in str(refused.value)


def test_the_fingerprint_follows_the_files_and_not_the_options(tmp_path: Path) -> None:
    first = read_manifest(written(tmp_path / "a", GOOD))
    tuned = read_manifest(written(tmp_path / "b", GOOD.replace("speed = 1.0", "speed = 2.0")))
    moved = read_manifest(written(tmp_path / "c", GOOD.replace("==1.0.0", "==1.0.1")))
    assert first.fingerprint == tuned.fingerprint
    assert first.fingerprint != moved.fingerprint


def test_a_part_may_come_from_another_location(tmp_path: Path) -> None:
    parts = 'members = { "voice.onnx" = ["a/1", "pypi:other==2.0#b/2"] }'
    manifest = read_manifest(written(tmp_path, GOOD.replace('root = "some_voice/data"', parts)))
    found = [str(part) for part in manifest.members(manifest.sources[0])["voice.onnx"]]
    assert found == ["pypi:some-voice==1.0.0#a/1", "pypi:other==2.0#b/2"]


def test_wrong_options_are_refused_with_the_model_and_field(tmp_path: Path) -> None:
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        speed: int

    manifest = read_manifest(written(tmp_path, GOOD.replace("speed = 1.0", 'speed = "fast"')))
    with pytest.raises(ConfigError, match=r"models/tts/voice\.toml: options: speed: .*integer.*got 'fast'"):
        manifest.options_as(Options)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('licence = "MIT"', 'license = "MIT"', "license: is not a known field; there are: description, engine, files"),
        ("[options]", "[resources]\ncpu = 2\n[options]", "resources.cpu: is not a known field; there are: cpus, gpus"),
        ("sha256 =", "sha =", "files.voice.onnx.sha: is not a known field; there are: sha256"),
        ("from =", "form =", "sources.0.form: is not a known field; there are: from, members, root"),
    ],
)
def test_an_unknown_field_is_refused_with_those_there_are(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_manifest(written(tmp_path, GOOD.replace(old, new)))
    assert said in str(refused.value)


def test_an_unknown_option_is_refused_with_those_the_engine_takes(tmp_path: Path) -> None:
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid")
        speed: float = 1.0
        noise: float = 0.0

    manifest = read_manifest(written(tmp_path, GOOD.replace("speed = 1.0", "sped = 2.0")))
    with pytest.raises(ConfigError, match=r"options: sped: is not a known field; there are: noise, speed \(got 2\.0\)"):
        manifest.options_as(Options)


def test_a_profile_must_serve_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "half.toml"
    path.write_text('name = "half"\nplacement = "local"\n[engines.vad]\nmodel = "silero-v6"\n')
    with pytest.raises(ConfigError, match="engines: stt, llm, tts, sentiment, embed, turns, interjections missing"):
        read_profile(path)


@pytest.mark.parametrize(("line", "calls"), [("", None), ("calls = 8\n", 8)])
def test_a_profile_may_say_how_many_calls_its_engines_bear(tmp_path: Path, line: str, calls: int | None) -> None:
    text = (MODELS_DIR / "profiles" / "cpu-tiny.toml").read_text(encoding="utf-8")
    path = tmp_path / "cpu-tiny.toml"
    path.write_text(line + text)
    assert read_profile(path).calls == calls


def test_a_profile_that_bears_no_call_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cpu-tiny.toml"
    path.write_text("calls = 0\n" + (MODELS_DIR / "profiles" / "cpu-tiny.toml").read_text(encoding="utf-8"))
    with pytest.raises(ConfigError, match="calls: Input should be greater than or equal to 1"):
        read_profile(path)


def test_in_cpu_tiny_the_light_engines_share_processes() -> None:
    profile = read_profile(MODELS_DIR / "profiles" / "cpu-tiny.toml")
    assert profile.process_of("vad") == profile.process_of("turns") == ""
    assert profile.process_of("embed") == profile.process_of("sentiment") == "text"
    assert profile.process_of("llm") == "llm"
