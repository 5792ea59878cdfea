"""The examples of the guides, run as they stand."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from orchestrator.store.calls_repository import DEFAULT_ACCOUNT
from tests.integration.api.conftest import OPERATOR, Control
from tests.integration.api.serving import served

DOCS = Path(__file__).parents[3] / "docs"
ADDRESS = "http://127.0.0.1:8080"
# An error is one here; commands of ours speak to a whole product, and are tested with one.
PREAMBLE = """
set -euo pipefail
curl() { command curl --fail-with-body --noproxy "*" "$@"; }
offhook() { :; }
"""


def examples(page: Path) -> str:
    """All that a page tells people to run."""
    return "\n".join(re.findall(r"^```bash\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


PAGES = sorted(page.name for page in DOCS.glob("*.md") if f"{ADDRESS}/api/" in examples(page))


@pytest.mark.parametrize("page", PAGES)
async def test_examples_do_what_their_page_says(control: Control, tmp_path: Path, page: str) -> None:
    keys = tmp_path / ".local" / "share" / "offhook" / "keys"
    keys.mkdir(parents=True)
    (keys / "operator.key").write_text(OPERATOR)
    await control.user("anna@example.org", DEFAULT_ACCOUNT)
    token = (await control.sign_in("anna@example.org")).json()["access_token"]
    async with served(control.app) as url:
        script = PREAMBLE + examples(DOCS / page).replace(ADDRESS, url)
        run = await asyncio.create_subprocess_exec(
            *("bash", "-c", script),
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "TOKEN": token},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await run.communicate()
    assert run.returncode == 0, said.decode()


def test_there_are_examples() -> None:
    assert {"api.md", "access.md"} <= set(PAGES)
