"""A backup is made while calls run, and becomes an installation again in an empty place."""

from __future__ import annotations

import asyncio
import resource
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

import asyncpg
import numpy as np
import obstore
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from orchestrator.backup import making
from orchestrator.backup.archive import ArchiveWriter, parts, written_aside
from orchestrator.backup.checking import checked
from orchestrator.backup.errors import BackupFailed
from orchestrator.backup.making import make_backup
from orchestrator.backup.manifest import Tree
from orchestrator.backup.places import TreePlace
from orchestrator.backup.restoring import Restored, restore_backup
from orchestrator.cli import app
from orchestrator.core.audit import Deed
from orchestrator.core.errors import ConfigError, RecordingUnavailable, StoreUnavailable
from orchestrator.recordings.archive import Archive
from orchestrator.recordings.playback import Channel
from orchestrator.settings import Settings
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from orchestrator.store.db import Database
from orchestrator.store.migrate import migrate
from orchestrator.store.replaced_objects import kept_for_a_backup, sweeping
from orchestrator.store.snapshot import NOT_KEPT
from telephony.recording import open_objects
from telephony.recording.objects import ObjectStore
from tests.integration.api.conftest import CHEAP, OPERATOR, PASSWORD, TRIES, Control, ControlSettings, controlled
from tests.integration.api.serving import served
from tests.integration.api.test_recordings import recorded, voices
from tests.integration.backup.conftest import Original, Place, add_call
from tests.integration.recordings.s3_server import BUCKET, S3Server
from tests.integration.store.test_phrases import held, indexed

_SCHEMA = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s %s %s', tablename, policyname, roles, qual) FROM pg_policies
    UNION ALL SELECT format('%s %s %s', relname, relrowsecurity, relacl) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT format('%s %s', attname, attacl) FROM pg_attribute WHERE attacl IS NOT NULL
    ORDER BY 1
"""


FURNISHED = {
    *("accounts", "users", "memberships", "sessions", "refresh_tokens", "socket_tickets", "api_keys", "audit_log"),
    *("agents", "agent_versions", "numbers", "calls", "turns", "transcripts", "events", "idempotency_keys"),
}


async def restored(backup: Path, place: Place, *, replace: bool = False) -> Restored:
    with backup.open("rb") as file:
        return await restore_backup(place.settings, file, replace=replace)


async def schema(place: Place) -> list[str]:
    connection = await asyncpg.connect(place.dsn)
    try:
        return [row[0] for row in await connection.fetch(_SCHEMA)]
    finally:
        await connection.close()


async def test_everything_is_in_the_new_place_as_it_was_but_for_who_was_signed_in(
    original: Original, elsewhere: Place
) -> None:
    assert {table for table, rows in original.rows.items() if rows} >= FURNISHED

    done = await restored(original.backup, elsewhere)

    after = await elsewhere.rows()
    assert after.keys() == original.rows.keys()
    for table, rows in original.rows.items():
        assert after[table] == ([] if table in NOT_KEPT else rows), table
    assert elsewhere.files() == original.files
    assert await schema(elsewhere) == await schema(original.place)
    assert (done.broken, done.aside) == ([], [])


async def test_people_sign_in_keys_work_and_old_tokens_do_not(
    control: Control, full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    tokens = (await control.sign_in("admin@example.org")).json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    asked = {"name": "another", "permissions": ["calls:read"]}
    key = (await control.client.post("/api/v1/keys", json=asked, headers=bearer)).json()["key"]
    await make_backup(full.settings, tmp_path / "backup.tar")
    await restored(tmp_path / "backup.tar", elsewhere)

    async with Database(elsewhere.dsn) as database, controlled(database, ControlSettings(TRIES, CHEAP)) as there:
        assert (await there.refresh(tokens["refresh_token"])).status_code == 401
        assert (await there.sign_in("admin@example.org", "another")).status_code == 401
        headers = await there.bearer("admin@example.org")
        agents = (await there.client.get("/api/v1/agents", headers=headers)).json()["items"]
        assert [agent["name"] for agent in agents] == ["desk"]
        calls = await there.client.get("/api/v1/calls", headers={"Authorization": f"Bearer {key}"})
        assert len(calls.json()["items"]) == 1, "the other account's call is not shown"


async def test_the_audit_log_verifies_in_the_new_place_and_goes_on(original: Original, elsewhere: Place) -> None:
    async with Database(original.place.dsn) as database:
        there = await AuditRepository(database).verify(DEFAULT_ACCOUNT)
    await restored(original.backup, elsewhere)

    async with Database(elsewhere.dsn) as database, controlled(database, ControlSettings(TRIES, CHEAP)) as restarted:
        key = elsewhere.settings.operator_key
        key.parent.mkdir(parents=True)
        key.write_text(OPERATOR)
        async with served(restarted.app) as url:
            arguments = ["audit", "verify", "--data", str(elsewhere.data), "--url", url]
            head = ["--head", f"{there.entries}:{there.head.hex()}"]
            told = await asyncio.to_thread(CliRunner().invoke, app, arguments + head)
        assert (told.exit_code, f"{there.entries} entries, intact" in told.output) == (0, True), told.output
        await restarted.bearer("admin@example.org")
        grown = await AuditRepository(database).verify(DEFAULT_ACCOUNT)
    assert (grown.entries, grown.broken_at) == (there.entries + 1, None)


async def test_a_log_that_was_changed_before_the_backup_is_told_of(
    control: Control, full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    async with control.database.transaction() as connection:
        await connection.execute("ALTER TABLE audit_log DISABLE TRIGGER USER")
        await connection.execute(
            "UPDATE audit_log SET action = 'nothing' WHERE account_id = $1 AND seq = 2", DEFAULT_ACCOUNT
        )
        await connection.execute("ALTER TABLE audit_log ENABLE TRIGGER USER")
    await make_backup(full.settings, tmp_path / "backup.tar")
    assert (await restored(tmp_path / "backup.tar", elsewhere)).broken == [f"{DEFAULT_ACCOUNT}: 2"]


async def test_what_is_written_meanwhile_is_whole_or_absent_and_does_not_wait(
    control: Control, full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    await add_call(control.database, DEFAULT_ACCOUNT, lines=30_000)
    audit, written, begun = AuditRepository(control.database), 0, asyncio.Event()
    before = {row.partition(",")[0] for row in (await full.rows())["calls"]}

    async def write() -> None:
        nonlocal written
        while True:
            await add_call(control.database, DEFAULT_ACCOUNT)
            deed = Deed(DEFAULT_ACCOUNT, "operator", None, "test", {"n": str(written)}, "request")
            await audit.append(deed, datetime.now(UTC))
            written += 1
            begun.set()

    writer = asyncio.create_task(write())
    await begun.wait()
    at_the_start = written
    contents = await make_backup(full.settings, tmp_path / "backup.tar")
    during = written - at_the_start
    writer.cancel()
    await asyncio.wait([writer])

    assert during > 3, "writers go on while the backup is made"
    assert contents.manifest.tables["turns"].pieces > 1, "a large table comes in pieces"
    assert (await restored(tmp_path / "backup.tar", elsewhere)).broken == []
    after, source = await elsewhere.rows(), await full.rows()
    for table in set(source) - {*NOT_KEPT, "users"}:
        assert set(after[table]) <= set(source[table]), table
    assert before <= {row.partition(",")[0] for row in after["calls"]}
    connection = await asyncpg.connect(elsewhere.dsn)
    try:
        half = await connection.fetch(
            "SELECT FROM calls WHERE (SELECT count(*) FROM turns WHERE call_id = calls.id) NOT IN (3, 30000)"
        )
        assert half == [], "a call is there with all that was written with it"
        highest = await connection.fetchval("SELECT max(position) FROM events")
        assert await connection.fetchval("SELECT nextval('positions')") > highest
    finally:
        await connection.close()


async def test_what_the_snapshot_knows_is_kept_until_it_is_copied(
    control: Control, full: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, free = making._copied_files, []

    async def watched(writer: ArchiveWriter, place: TreePlace, names: IO[str]) -> Tree:
        copied = await copy(writer, place, names)
        async with sweeping(control.database) as now:
            free.append(now)
        return copied

    monkeypatch.setattr(making, "_copied_files", watched)
    await make_backup(full.settings, tmp_path / "backup.tar")
    async with sweeping(control.database) as now, sweeping(control.database) as beside:
        assert now and beside, "those who sweep do not keep each other from it"
    assert free == [False, False]


async def test_a_backup_during_which_nothing_kept_the_objects_is_none(full: Place) -> None:
    with pytest.raises(StoreUnavailable):
        async with kept_for_a_backup(full.dsn):
            connection = await asyncpg.connect(full.dsn)
            await connection.execute(
                """
                SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE l.locktype = 'advisory' AND d.datname = current_database()
                """
            )
            await connection.close()


async def test_recordings_can_be_heard_in_the_new_place_with_the_master_key_alone(
    control: Control, dsn: str, elsewhere: Place, tmp_path: Path
) -> None:
    call = await recorded(control)
    here = control.installation.model_copy(update={"database_url": SecretStr(dsn)})
    with pytest.raises(BackupFailed, match="knows 1 recordings, and"):
        await make_backup(here.model_copy(update={"objects": str(tmp_path / "wrong")}), tmp_path / "backup.tar")
    await make_backup(here, tmp_path / "backup.tar")
    assert (here.data / "keys" / "master.key").read_bytes().strip() not in (tmp_path / "backup.tar").read_bytes()
    await restored(tmp_path / "backup.tar", elsewhere)

    async with Database(elsewhere.dsn) as database:
        with pytest.raises(RecordingUnavailable):
            await Archive(elsewhere.settings, database).library.open(DEFAULT_ACCOUNT, call)
        shutil.copytree(here.data / "keys", elsewhere.data / "keys", dirs_exist_ok=True)
        playback = await Archive(elsewhere.settings, database).library.open(DEFAULT_ACCOUNT, call)
        heard = await asyncio.to_thread(lambda: list(playback.read(0, playback.frames, Channel.BOTH)))
    assert (np.concatenate(heard) == np.column_stack(voices())).all()


async def test_objects_are_taken_from_s3_and_put_there(full: Place, elsewhere: Place, tmp_path: Path) -> None:
    s3 = S3Server(tmp_path / "s3")
    await asyncio.to_thread(s3.start)
    try:
        here, there = (in_s3(place, s3, prefix) for place, prefix in ((full, "here"), (elsewhere, "there")))
        stores = [open_objects(settings.object_store) for settings in (here, there)]
        large = bytes(range(256)) * 50_000
        for key, content in {**objects_of(full), "large": large}.items():
            await obstore.put_async(stores[0], key, content)
        contents = await make_backup(here, tmp_path / "backup.tar")
        assert contents.manifest.trees["objects"].files == 4
        with (tmp_path / "backup.tar").open("rb") as file:
            await restore_backup(there, file)
        assert await kept_in(stores[1]) == {**objects_of(full), "large": large}

        with (tmp_path / "backup.tar").open("rb") as file, pytest.raises(ConfigError, match="objects are not empty"):
            await restore_backup(there, file)
        s3.kill()
        with pytest.raises(BackupFailed, match="cannot be listed"):
            await make_backup(here, tmp_path / "cut.tar")
        assert [path.name for path in left_in(tmp_path) if "tar" in path.name] == ["backup.tar"]
    finally:
        s3.kill()


def in_s3(place: Place, s3: S3Server, prefix: str) -> Settings:
    objects = s3.objects()
    return place.settings.model_copy(
        update={
            "objects": f"s3://{BUCKET}/{prefix}",
            "objects_endpoint": objects.endpoint,
            "objects_key_id": objects.key_id,
            "objects_secret": objects.secret,
        }
    )


def objects_of(place: Place) -> dict[str, bytes]:
    """Of a place that keeps them in its folder."""
    return {name.partition("/")[2]: content for name, content in place.files().items() if name.startswith("objects/")}


async def kept_in(store: ObjectStore) -> dict[str, bytes]:
    return {
        one["path"]: bytes(await (await obstore.get_async(store, one["path"])).bytes_async())
        async for batch in obstore.list(store)
        for one in batch
    }


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_objects_of_calls_that_nobody_knows_are_left_out(full: Place, elsewhere: Place, tmp_path: Path) -> None:
    full.put(f"recordings/{DEFAULT_ACCOUNT}/{uuid4()}/000000", b"begun after the snapshot")
    large = b"of no call" * 1_000_000
    full.put("documents/a-file", large)
    contents = await make_backup(full.settings, tmp_path / "backup.tar")
    await restored(tmp_path / "backup.tar", elsewhere)
    assert contents.manifest.trees["objects"].files == 4
    assert large in elsewhere.files().values()
    assert b"begun after the snapshot" not in elsewhere.files().values()


async def test_a_backup_without_files_leaves_those_of_the_place_alone(
    full: Place, elsewhere: Place, tmp_path: Path
) -> None:
    await make_backup(full.settings, tmp_path / "backup.tar", with_files=False)
    elsewhere.put("kept.wav", b"was here before")
    await restored(tmp_path / "backup.tar", elsewhere)
    assert elsewhere.files() == {"objects/kept.wav": b"was here before"}
    assert (await elsewhere.rows())["calls"] == (await full.rows())["calls"]


async def test_a_place_that_is_not_empty_is_refused_and_left_alone(backup: Path, elsewhere: Place) -> None:
    elsewhere.put("a.wav", b"there")
    with pytest.raises(ConfigError, match="objects are not empty; --replace"):
        await restored(backup, elsewhere)
    assert elsewhere.files() == {"objects/a.wav": b"there"}

    done = await restored(backup, elsewhere, replace=True)
    [aside] = done.aside
    assert (aside / "a.wav").read_bytes() == b"there"
    with pytest.raises(ConfigError, match=r"not empty: there are .*; make an empty one"):
        await restored(backup, elsewhere, replace=True)
    assert (aside / "a.wav").exists()
    assert len(elsewhere.files()) == 4, "what is in the place is back under its name"


async def test_a_database_of_others_is_refused(backup: Path, elsewhere: Place) -> None:
    connection = await asyncpg.connect(elsewhere.dsn)
    await connection.execute("CREATE TABLE theirs (id integer)")
    await connection.close()
    with pytest.raises(ConfigError, match="tables of others, such as theirs"):
        await restored(backup, elsewhere)
    assert elsewhere.files() == {}


async def test_a_database_that_was_only_migrated_is_empty(original: Original, elsewhere: Place) -> None:
    async with Database(elsewhere.dsn) as database:
        await migrate(database)
    await restored(original.backup, elsewhere)
    assert (await elsewhere.rows())["agents"] == original.rows["agents"]


def mode_and_content(path: Path) -> tuple[int, bytes]:
    return stat.S_IMODE(path.stat().st_mode), path.read_bytes()


async def test_a_backup_of_an_older_release_becomes_this_one(elsewhere: Place, full: Place, tmp_path: Path) -> None:
    async with Database(elsewhere.dsn) as database:
        await migrate(database, last="0008")
        call = await add_call(database, DEFAULT_ACCOUNT)
    contents = await make_backup(elsewhere.settings, tmp_path / "backup.tar")
    assert contents.header.schema_version == "0008"

    connection = await asyncpg.connect(elsewhere.dsn)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()
    await restored(tmp_path / "backup.tar", elsewhere)
    after = await elsewhere.rows()
    assert [row[1:37] for row in after["calls"]] == [str(call)]
    assert after["audit_log"] == []
    assert await schema(elsewhere) == await schema(full)
    async with Database(elsewhere.dsn) as database:
        assert await indexed(database, '"line feed"') == [call]


async def test_words_side_by_side_are_found_in_the_restored_place(original: Original, elsewhere: Place) -> None:
    await restored(original.backup, elsewhere)
    async with Database(elsewhere.dsn) as database:
        (call,) = await indexed(database, '"line feed"')
        assert await held(database, '"line feed"') == 1
        assert await indexed(database, '"feed line"') == []
    assert str(call) in str(original.rows["calls"])


async def test_whoever_owns_the_database_needs_no_more_rights(original: Original, elsewhere: Place) -> None:
    owner = f"plain_{uuid4().hex}"
    connection = await asyncpg.connect(elsewhere.dsn)
    try:
        await connection.execute(
            f"""
            CREATE ROLE {owner} LOGIN;
            GRANT offhook_tenant TO {owner};
            GRANT ALL ON SCHEMA public TO {owner};
            GRANT ALL ON DATABASE "{elsewhere.dsn.split("@/")[1].split("?")[0]}" TO {owner};
            """
        )
        dsn = elsewhere.dsn.replace("//offhook@", f"//{owner}@")
        theirs = Place(Settings(data=elsewhere.data, database_url=SecretStr(dsn)), dsn)
        await restored(original.backup, theirs)
        assert (await theirs.rows())["audit_log"] == original.rows["audit_log"]
        again = await make_backup(theirs.settings, original.backup.with_name("again.tar"))
        assert again.manifest.tables["calls"].rows == len(original.rows["calls"])
    finally:
        await connection.execute(f"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}")
        await connection.close()


async def test_the_file_is_for_its_owner_alone_and_never_written_over(original: Original) -> None:
    before = mode_and_content(original.backup)
    assert before[0] == 0o600
    with pytest.raises(ConfigError, match="exists already"):
        await make_backup(original.place.settings, original.backup)
    assert mode_and_content(original.backup) == before


def test_a_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "backup.tar"
    with pytest.raises(ValueError, match="cut"), written_aside(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        raise ValueError("cut")
    assert list(tmp_path.iterdir()) == []


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk is to whoever writes: write() fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 3000, 50_000])
async def test_a_disk_that_is_full_is_told_and_nothing_is_left(original: Original, tmp_path: Path, size: int) -> None:
    with files_of_at_most(size), pytest.raises(BackupFailed, match="Nothing is left"):
        await make_backup(original.place.settings, tmp_path / "backup.tar")
    assert left_in(tmp_path) == []


async def test_a_backup_of_nothing_is_refused(elsewhere: Place, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing to back up"):
        await make_backup(elsewhere.settings, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


def test_it_says_what_it_is_at_its_beginning_and_has_no_password(backup: Path) -> None:
    with backup.open("rb") as file:
        names = [part.name for part in parts(file)]
        assert checked(file).manifest.trees["vectors"].files == 1
    assert (names[0], names[-3:]) == ("backup.json", ["sums/000000", "manifest.json", "manifest.sha256"])
    assert PASSWORD.encode() not in backup.read_bytes()
