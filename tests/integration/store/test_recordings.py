"""Keys, completion and erasure of recordings, on a real PostgreSQL and a folder of objects."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from orchestrator.core.errors import RecordingDamaged, RecordingUnavailable
from orchestrator.core.events import CallEnded, CallStarted, EndReason, RecordingStarted
from orchestrator.recordings.completion import Completion
from orchestrator.recordings.erasure import RecordingErasure
from orchestrator.recordings.keyring import Keyring
from orchestrator.recordings.library import Library
from orchestrator.recordings.masters import LocalMaster, Vault, VaultMaster
from orchestrator.recordings.playback import Channel
from orchestrator.store.account_keys_repository import AccountKeysRepository
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository
from orchestrator.store.db import Database
from orchestrator.store.recordings_repository import RecordingsRepository, StoredRecording
from telephony.recording import Objects, Recordings, open_objects

RATE = 8000


@pytest.fixture
def keyring(database: Database) -> Keyring:
    return Keyring(LocalMaster("m" * 32), AccountKeysRepository(database))


async def test_a_recording_is_completed_played_and_erased(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    call, repository = uuid4(), RecordingsRepository(database)
    key, wrapped = await keyring.new(DEFAULT_ACCOUNT, call)
    await CallsRepository(database).write(
        [
            CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0),
            CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0),
        ]
    )
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO recordings (call_id, account_id, wrapped_key, rate, start_at) VALUES ($1, $2, $3, $4, 0.5)",
            *(call, DEFAULT_ACCOUNT, wrapped, RATE),
        )
    objects, pcm = open_objects(Objects(location=str(tmp_path / "objects"))), np.arange(12 * RATE + 7, dtype=np.int16)
    later = count(start=0.0, step=10.0)
    completion = Completion(repository, keyring, objects, lambda: next(later))
    await completion.look()
    with Recordings(tmp_path / "journal", objects) as recordings:
        recording = recordings.open(call, key, RATE, lambda _: None)
        recording.write(pcm.tobytes(), (-pcm).tobytes())
        recording.close()
    await completion.look()
    # Another process knows neither key nor account beforehand.
    library = Library(repository, Keyring(LocalMaster("m" * 32), AccountKeysRepository(database)), objects)
    playback = await library.open(DEFAULT_ACCOUNT, call)
    heard = np.concatenate(list(playback.read(0, playback.frames, Channel.CALLER)))[:, 0]
    assert (heard == pcm).all()
    assert await library.find(uuid4(), call) is None
    erasure = RecordingErasure(repository, objects, tmp_path / "journal")
    assert await erasure.delete(DEFAULT_ACCOUNT, call) == 3
    assert await erasure.delete(DEFAULT_ACCOUNT, call) == 0
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]  # noqa: ASYNC240
    assert await library.find(DEFAULT_ACCOUNT, call) is None


async def test_what_never_comes_to_its_end_is_looked_for_less_and_less_often(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    call, now, asked = uuid4(), 0.0, list[float]()
    _, wrapped = await keyring.new(DEFAULT_ACCOUNT, call)
    await CallsRepository(database).write(
        [
            CallStarted(call, "demo", "inbound", "anna", "demo", "sip", 1_800_000_000.0),
            RecordingStarted(call, wrapped.hex(), RATE, 0.0),
            CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_012.0, 12.0),
        ]
    )

    class Asked(Completion):
        async def _complete(self, recording: StoredRecording) -> bool:
            asked.append(now)
            return await super()._complete(recording)

    objects = open_objects(Objects(location=str(tmp_path / "objects")))
    completion = Asked(RecordingsRepository(database), keyring, objects, lambda: now)
    for second in range(20):
        now = float(second)
        await completion.look()
    assert asked == [0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 18.0]


async def test_a_wrapped_key_opens_for_its_call_and_account_alone(database: Database, keyring: Keyring) -> None:
    call = uuid4()
    key, wrapped = await keyring.new(DEFAULT_ACCOUNT, call)
    assert await keyring.found(DEFAULT_ACCOUNT, call, wrapped) == key
    with pytest.raises(RecordingDamaged):
        await keyring.found(DEFAULT_ACCOUNT, uuid4(), wrapped)
    stranger = Keyring(LocalMaster("n" * 32), AccountKeysRepository(database))
    with pytest.raises(RecordingUnavailable):
        await stranger.found(DEFAULT_ACCOUNT, call, wrapped)


async def test_keys_are_wrapped_anew_with_another_master_key(database: Database, keyring: Keyring) -> None:
    call, repository = uuid4(), AccountKeysRepository(database)
    key, wrapped = await keyring.new(DEFAULT_ACCOUNT, call)
    old, new = LocalMaster("m" * 32), LocalMaster("n" * 32)
    assert await Keyring(new, repository, (old,)).rotate() == 1
    assert await Keyring(new, repository).found(DEFAULT_ACCOUNT, call, wrapped) == key
    assert await Keyring(new, repository, (old,)).rotate() == 0


class Transit(BaseHTTPRequestHandler):
    """Vault's encrypt and decrypt routes with an AEAD key and associated data, as its documentation has them."""

    key = AESGCM(bytes(32))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Vault-Token"] != "s.token":
            self._answer(403, {"errors": ["permission denied"]})
            return
        context, nonce = b64decode(asked["associated_data"]), bytes(12)
        if self.path == "/v1/transit/encrypt/offhook":
            sealed = self.key.encrypt(nonce, b64decode(asked["plaintext"]), context)
            self._answer(200, {"data": {"ciphertext": f"vault:v1:{b64encode(sealed).decode()}"}})
            return
        assert self.path == "/v1/transit/decrypt/offhook"
        try:
            opened = self.key.decrypt(nonce, b64decode(asked["ciphertext"].split(":")[2]), context)
            self._answer(200, {"data": {"plaintext": b64encode(opened).decode()}})
        except InvalidTag:
            self._answer(400, {"errors": ["cipher: message authentication failed"]})

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Transit) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        token = tmp_path / "token"
        token.write_text("s.token\n")
        yield Vault(f"http://127.0.0.1:{server.server_port}", token)
        server.shutdown()


async def test_account_keys_can_be_under_a_key_in_vault(database: Database, vault: Vault) -> None:
    call: UUID = uuid4()
    key, wrapped = await Keyring(VaultMaster(vault), AccountKeysRepository(database)).new(DEFAULT_ACCOUNT, call)
    again = Keyring(VaultMaster(vault), AccountKeysRepository(database))
    assert await again.found(DEFAULT_ACCOUNT, call, wrapped) == key
    master = VaultMaster(vault)
    with pytest.raises(RecordingDamaged):
        await master.unwrap(await master.wrap(b"secret", b"one"), b"another")
    vault.token.write_text("s.stale")
    with pytest.raises(RecordingUnavailable):
        await master.wrap(b"secret", b"one")
