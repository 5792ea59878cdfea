"""One Offhook for the calls of this folder, with a Kamailio that it is registered at."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from benchmarks.human_speech import Recorded, recordings
from benchmarks.system import Setup, System, running
from inference.registry import Registry, build_engine
from orchestrator.core.audio import AudioFrame, Pcm
from orchestrator.core.ports import Recognizer
from telephony.sip.caller import Phone
from tests.e2e.peers import Kamailio

AGENTS = Path(__file__).parent / "agents"
PASSWORDS = {"desk": "s3cret-desk", "visitor": "s3cret-visitor"}

Transcriber = Callable[[Pcm, int], str]


@pytest.fixture(scope="session")
def kamailio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    with Kamailio.running(tmp_path_factory.mktemp("kamailio") / "run", PASSWORDS) as proxy:
        yield proxy


@contextmanager
def passable_folder() -> Iterator[Path]:
    """A folder for an installation's data, gone afterwards.

    PostgreSQL runs under an account of its own and must pass every folder above its data; pytest closes its own ones
    to other accounts whenever a session starts.
    """
    with tempfile.TemporaryDirectory(prefix="offhook-e2e-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def offhook(kamailio: Kamailio) -> Iterator[System]:
    """Answers the number demo, called directly or through Kamailio, where it is registered as desk."""
    with passable_folder() as folder, running(_setup(folder, kamailio)) as system:
        yield system


def _setup(folder: Path, kamailio: Kamailio) -> Setup:
    trunks = folder / "trunks.toml"
    trunks.write_text(
        "[[trunks]]\n"
        'name = "kamailio"\n'
        f'registrar = "127.0.0.1:{kamailio.port}"\n'
        'user = "desk"\n'
        f'password = "{PASSWORDS["desk"]}"\n'
    )
    return Setup(folder / "data", AGENTS, environment={"OFFHOOK_TRUNKS": str(trunks)})


@pytest.fixture(scope="session")
def phone() -> Iterator[Phone]:
    with Phone() as opened:
        yield opened


@pytest.fixture(scope="session")
def human() -> dict[str, Recorded]:
    return recordings()


@pytest.fixture(scope="session")
def transcribed() -> Transcriber:
    """The words in some audio, by the profile's own recogniser."""
    registry = Registry()
    manifest = registry.manifest(registry.profile("cpu-tiny").engines["stt"].model)
    recognizer = cast("Recognizer", build_engine(manifest, registry.files(manifest), threads=2))

    def transcribe(pcm: Pcm, rate: int) -> str:
        return asyncio.run(recognizer.recognize(AudioFrame(pcm, rate), language="en")).text

    return transcribe
