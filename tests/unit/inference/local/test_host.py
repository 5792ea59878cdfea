"""A process of engines, from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from inference.loading import HostedEngine
from inference.local.plan import HostPlan
from inference.manifest import Manifest


def started(manifest: Manifest, folder: Path) -> subprocess.CompletedProcess[str]:
    """A process that was asked to run *manifest*, once it has ended."""
    plan = HostPlan(name="text", engines=(HostedEngine(manifest=manifest, files=folder, threads=1),))
    return subprocess.run(
        [sys.executable, "-m", "inference.local.host", str(folder / "engines.sock")],
        input=plan.model_dump_json(by_alias=True) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )


def test_a_wrong_option_is_told_to_the_owner_and_needs_no_traceback(tmp_path: Path) -> None:
    manifest = Manifest(
        name="mine", kind="embed", engine="onnx", licence="MIT", languages=("en",), options={"poling": "mean"}
    )
    host = started(manifest, tmp_path)
    failed = json.loads(host.stdout)["failed"]
    assert failed["type"] == "ConfigError"
    assert "models/embed/mine.toml: options: poling: is not a known field; there are: " in failed["message"]
    assert "Traceback" not in host.stderr
