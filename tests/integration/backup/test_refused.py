"""What is no whole backup is refused before anything is touched; what cannot be put back leaves nothing."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.backup.archive import ArchiveWriter, parts
from orchestrator.backup.checking import checked, opened_piece
from orchestrator.backup.errors import ArchiveRefused
from orchestrator.backup.manifest import HEADER, MANIFEST, MANIFEST_SUM, Header, Manifest
from orchestrator.backup.restoring import restore_backup
from orchestrator.core.errors import RecordRefused
from orchestrator.store.migrate import read_migrations
from tests.integration.backup.conftest import Place

Members = dict[str, bytes]


def members(backup: Path) -> Members:
    """Every part but the sums."""
    with backup.open("rb") as file:
        found = {part.name: b"".join(part.read()) for part in parts(file)}
    return {name: content for name, content in found.items() if not name.startswith("sums/") and name != MANIFEST_SUM}


def written(content: Mapping[str, bytes], path: Path) -> Path:
    """A backup of these parts, with sums that are right."""
    with path.open("wb") as file:
        writer = ArchiveWriter(file)
        for name, data in content.items():
            if name != MANIFEST:
                writer.add(name, data)
        writer.close(content[MANIFEST])
    return path


def with_header(found: Members, **changes: Any) -> None:
    header = Header.model_validate_json(found[HEADER]).model_copy(update=changes)
    found[HEADER] = header.model_dump_json().encode()


def with_rows(found: Members, table: str, change: Callable[[bytes], bytes]) -> None:
    """Other rows in a table, of which its manifest knows."""
    name = f"database/{table}/000000.gz"
    text = change(opened_piece(name, found[name]))
    found[name] = zlib.compress(text, wbits=31)
    manifest = Manifest.model_validate_json(found[MANIFEST])
    told = manifest.tables[table].model_copy(update={"rows": text.count(b"\n"), "bytes": len(text)})
    changed = manifest.model_copy(update={"tables": {**manifest.tables, table: told}})
    found[MANIFEST] = changed.model_dump_json().encode()


def named(folder: Path, name: str) -> list[Path]:
    return list(folder.rglob(name))


def refusal(content: bytes) -> str:
    with pytest.raises(ArchiveRefused) as raised:
        checked(io.BytesIO(content))
    return str(raised.value)


async def refused(path: Path, place: Place) -> str:
    """Why it is not restored; nothing is in the place then."""
    with path.open("rb") as file, pytest.raises((ArchiveRefused, RecordRefused)) as raised:
        await restore_backup(place.settings, file)
    assert place.files() == {}
    assert not any(rows for table, rows in (await place.rows()).items() if table != "accounts")
    return str(raised.value)


def test_a_backup_that_is_cut_anywhere_is_refused(backup: Path) -> None:
    whole = backup.read_bytes()
    # The last two blocks are empty: without them it is whole.
    for size in [0, 1, 511, 512, 1023, *range(1024, len(whole) - 1024, len(whole) // 60), len(whole) - 1025]:
        assert refusal(whole[:size]), size
    assert checked(io.BytesIO(whole))


def test_a_backup_in_which_a_bit_was_changed_is_refused(backup: Path) -> None:
    whole, chance = backup.read_bytes(), random.Random(7)
    found = members(backup)
    content = [whole.index(data) + chance.randrange(len(data)) for data in found.values() if data]
    for place in content:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        assert refusal(bytes(changed)), place
    changed = bytearray(whole)
    changed[whole.index(b"vectorvector")] ^= 1
    assert "vectors/index/segment-1 is not as it was written" in refusal(bytes(changed))


@pytest.mark.parametrize("part", ["database/calls/000000.gz", "vectors/index/segment-1", HEADER])
def test_a_part_that_is_missing_is_noticed(backup: Path, tmp_path: Path, part: str) -> None:
    found = members(backup)
    del found[part]
    assert refusal(written(found, tmp_path / "other.tar").read_bytes())


def test_parts_that_the_manifest_does_not_know_are_refused(backup: Path, tmp_path: Path) -> None:
    found = {**members(backup), "database/others/000000.gz": zlib.compress(b"1\n", wbits=31)}
    assert "does not know others" in refusal(written(found, tmp_path / "other.tar").read_bytes())


@pytest.mark.parametrize(
    "name",
    [
        "objects/../../outside",
        "objects/a/../../../outside",
        "objects//etc/outside",
        "objects/.",
        "objects/a\nb",
        "objects/..\\outside",
        "/etc/outside",
        "../outside",
        "elsewhere/outside",
        "database/../outside/000000.gz",
        "objects/",
    ],
)
async def test_a_part_that_would_lie_outside_is_refused(
    backup: Path, tmp_path: Path, elsewhere: Place, name: str
) -> None:
    found = {**members(backup), name: b"outside"}
    assert "does not belong into a backup" in await refused(written(found, tmp_path / "other.tar"), elsewhere)
    assert not named(tmp_path, "outside")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_is_refused(backup: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("objects/a")
    link.type, link.linkname = kind, "/etc/passwd"
    whole = backup.read_bytes()
    first = whole.index(b"database/", 1024) // 512 * 512
    assert "is no file" in refusal(whole[:first] + link.tobuf() + whole[first:])


def test_a_piece_that_unfolds_without_end_is_refused(backup: Path, tmp_path: Path) -> None:
    found = {**members(backup), "database/calls/000000.gz": zlib.compress(bytes(2**27), wbits=31)}
    assert "calls/000000.gz is not as it was written" in refusal(written(found, tmp_path / "bomb.tar").read_bytes())


def test_other_files_are_no_backup() -> None:
    for content in (b"", b"SQLite format 3\0" * 100, os.urandom(10_000), bytes(10_240)):
        assert "no backup" in refusal(content)


async def test_a_newer_schema_and_format_and_other_migrations_are_refused(
    backup: Path, tmp_path: Path, elsewhere: Place
) -> None:
    known = {migration.version: migration.checksum for migration in read_migrations()}
    for changes, reason in (
        ({"migrations": {**known, "9999": "later"}, "product": "9.9"}, "9999.*does not know.*Offhook 9.9"),
        ({"migrations": {**known, "0001": "edited"}}, "0001 is not the one of this release"),
        ({"migrations": {"0002": known["0002"]}}, "lacks migrations"),
        ({"migrations": {}}, "lacks migrations"),
        ({"format": 2}, "has format 2"),
    ):
        found = members(backup)
        with_header(found, **changes)
        path = written(found, tmp_path / "other.tar")
        assert re.search(reason, await refused(path, elsewhere)), reason


async def test_rows_that_refer_to_nothing_are_refused_and_nothing_is_left(
    backup: Path, tmp_path: Path, elsewhere: Place
) -> None:
    found = members(backup)
    with_rows(found, "memberships", lambda text: text.replace(text[:8], b"00000009", 1))
    path = written(found, tmp_path / "other.tar")
    assert "foreign key" in await refused(path, elsewhere)
    with backup.open("rb") as file:
        assert (await restore_backup(elsewhere.settings, file)).broken == []


@pytest.mark.parametrize("text", [b"\\.\n", b"one\tcolumn\n", b"\xff\xfe\n"])
async def test_text_that_is_no_row_is_refused(backup: Path, tmp_path: Path, elsewhere: Place, text: bytes) -> None:
    found = members(backup)
    with_rows(found, "memberships", lambda before: before + text)
    assert await refused(written(found, tmp_path / "other.tar"), elsewhere)


async def test_columns_that_the_schema_has_not_are_refused(backup: Path, tmp_path: Path, elsewhere: Place) -> None:
    found = members(backup)
    manifest = Manifest.model_validate_json(found[MANIFEST])
    calls = manifest.tables["calls"].model_copy(update={"columns": ['id") FROM PROGRAM (', "x"]})
    changed = manifest.model_copy(update={"tables": {**manifest.tables, "calls": calls}})
    found[MANIFEST] = changed.model_dump_json().encode()
    assert "table calls is not as the schema" in await refused(written(found, tmp_path / "other.tar"), elsewhere)


def test_sha256sum_agrees(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as tar:
        tar.extractall(tmp_path / "out", filter="data")
    sums = [str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out" / "sums").iterdir()]
    run = subprocess.run(["sha256sum", "-c", "--quiet", *sums, MANIFEST_SUM], cwd=tmp_path / "out", check=False)
    assert run.returncode == 0
