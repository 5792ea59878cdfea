from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.sources.fetcher import FetchError
from inference.sources.transfer import download, http_client
from tests.unit.inference.sources.site import Site, served

PAGE = bytes(range(256)) * 4096


@pytest.fixture
def site() -> Iterator[Site]:
    with served(Site(pages={"/model": PAGE})) as running:
        yield running


def fetched(site: Site, path: str, into: Path) -> bytes:
    with http_client() as client:
        download(client, site.url + path, into, lambda _done, _total: None)
    return into.read_bytes()


def test_a_connection_that_breaks_is_continued_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.breaks["/model"] = 700_000
    assert fetched(site, "/model", tmp_path / "model") == PAGE
    ranges = [headers.get("range") for _, headers in site.requests]
    assert ranges[0] is None
    assert ranges[1] == "bytes=700000-"


def test_a_partial_file_of_an_earlier_run_is_continued(site: Site, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(PAGE[:1000])
    (tmp_path / "model.etag").write_text('"v1"')
    assert fetched(site, "/model", tmp_path / "model") == PAGE
    assert site.requests[0][1]["range"] == "bytes=1000-"
    assert not (tmp_path / "model.etag").exists()


def test_a_file_that_changed_meanwhile_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"old beginning")
    (tmp_path / "model.etag").write_text('"v0"')
    assert fetched(site, "/model", tmp_path / "model") == PAGE


def test_a_file_that_was_complete_already_is_kept(site: Site, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(PAGE)
    (tmp_path / "model.etag").write_text('"v1"')
    assert fetched(site, "/model", tmp_path / "model") == PAGE


def test_progress_counts_what_was_there_before(site: Site, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(PAGE[:1000])
    (tmp_path / "model.etag").write_text('"v1"')
    told: list[tuple[int, int | None]] = []
    with http_client() as client:
        download(client, f"{site.url}/model", tmp_path / "model", lambda *step: told.append(step))
    assert told[0][0] > 1000
    assert told[-1] == (len(PAGE), len(PAGE))


def test_a_missing_page_is_an_error_with_its_status(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="/nothing: 404 Not Found"):
        fetched(site, "/nothing", tmp_path / "model")


def test_a_server_that_never_sends_a_byte_is_given_up(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FetchError), http_client() as client:
        download(client, "http://127.0.0.1:9/model", tmp_path / "model", lambda _done, _total: None)
