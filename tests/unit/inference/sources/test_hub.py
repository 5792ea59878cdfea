from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.sources.fetcher import FetchError
from inference.sources.hub import Hub
from inference.sources.location import Location, Member
from tests.unit.inference.sources.site import Site, served

MEMBER = Member(Location.parse("hf:org/repo@v1.0"), "deep/model.bin")
ADDRESS = "/org/repo/resolve/v1.0/deep/model.bin"


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site()) as running:
        yield running


def unwatched(_done: int, _total: int | None) -> None:
    pass


def test_a_file_is_found_below_its_repository_and_revision(site: Site, tmp_path: Path) -> None:
    site.pages[ADDRESS] = b"weights"
    assert Hub(site.url).fetch(MEMBER, tmp_path / "f", unwatched) is None
    assert (tmp_path / "f").read_bytes() == b"weights"


def test_the_hash_that_the_hub_keeps_of_a_large_file_is_told(site: Site, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    site.pages["/blob"] = b"weights"
    site.redirects[ADDRESS] = ("/blob", {"X-Linked-Etag": f'"{digest}"'})
    assert Hub(site.url).fetch(MEMBER, tmp_path / "f", unwatched) == digest


def test_the_token_is_sent_to_the_hub(site: Site, tmp_path: Path) -> None:
    site.pages[ADDRESS] = b"weights"
    Hub(site.url, token="secret").fetch(MEMBER, tmp_path / "f", unwatched)
    assert site.requests[0][1]["authorization"] == "Bearer secret"


def test_the_endpoint_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example/")
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert Hub.from_environment() == Hub("http://mirror.example", "secret")


def test_a_missing_file_is_an_error(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="404"):
        Hub(site.url).fetch(MEMBER, tmp_path / "f", unwatched)
