"""Which Python packages the engines of a profile need, read from their source: nothing is imported to find out."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from pathlib import Path

from inference.manifest import IN_CALL_PROCESS, KINDS, Kind, Manifest, Profile
from orchestrator.core.errors import ConfigError

_FOLDER = Path(__file__).parent
_OURS = frozenset({"inference", "orchestrator", "telephony", "benchmarks", "models"})
_EXTRAS = {
    "ray": "ray",
    "sentence_transformers": "torch",
    "torch": "torch",
    "transformers": "torch",
    "vllm": "vllm",
}


def engines_of(kind: Kind) -> list[str]:
    """The engines that there are for *kind*: modules of its folder that define `load`."""
    return sorted(path.stem for path in (_FOLDER / kind).glob("[a-z]*.py") if _defines_load(path))


def needed(profile: Profile, manifests: Iterable[Manifest], kinds: Collection[Kind] = KINDS) -> dict[str, str]:
    """The packages that *profile* needs for *kinds*, by import name, each with what it is for.

    manifests: those of the profile. Raises ConfigError for an engine that there is not.
    """
    by_name = {manifest.name: manifest for manifest in manifests}
    packages: dict[str, str] = {}
    for kind in kinds:
        manifest = by_name[profile.engines[kind].model]
        for package in _third_party(engine_file(manifest)):
            packages.setdefault(package, f"{kind} with {manifest.engine}")
    if profile.placement == "ray":
        packages["ray"] = "placement on Ray"
    return packages


def missing(packages: Iterable[str]) -> list[str]:
    """Those of *packages* that are not installed."""
    return [package for package in packages if importlib.util.find_spec(package) is None]


def remedy(packages: Iterable[str]) -> str:
    """What installs *packages*."""
    extras = sorted({_EXTRAS.get(package, "local") for package in packages})
    others = [extra for extra in extras if extra != "local"]
    command = f'make extras EXTRAS="{" ".join(others)}"' if others else "make run"
    return f"run `{command}`, or install offhook[{','.join(extras)}]"


def refuse_missing(profile: Profile, manifests: Iterable[Manifest]) -> None:
    """Raises ConfigError when this machine does not have what *profile* runs on it.

    On Ray, only the engines of the call's own process run here for certain: the others need their packages where the
    cluster puts them.
    """
    kinds = IN_CALL_PROCESS if profile.placement == "ray" else KINDS
    absent = missing(needed(profile, manifests, kinds))
    if absent:
        raise ConfigError(f"profile {profile.name!r} needs {', '.join(absent)}: {remedy(absent)}")


def engine_file(manifest: Manifest) -> Path:
    """The source of the engine of *manifest*. Raises ConfigError, listing the engines there are, when there is none."""
    path = _FOLDER / manifest.kind / f"{manifest.engine}.py"
    if not path.is_file() or not _defines_load(path):
        known = ", ".join(engines_of(manifest.kind))
        raise ConfigError(
            f"{manifest.place}: engine: there is no {manifest.engine!r} for {manifest.kind}; there are: {known}"
        )
    return path


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _defines_load(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "load" for node in _tree(path).body)


def _third_party(path: Path) -> list[str]:
    """What *path*, and what it imports of ours, imports from elsewhere at any time."""
    found: dict[str, None] = {}
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        if (module := waiting.pop()) in seen:
            continue
        seen.add(module)
        for name in _imported(_tree(module)):
            top = name.partition(".")[0]
            if top == "inference":
                waiting.extend(_sources_of(name))
            elif top not in _OURS and top not in sys.stdlib_module_names:
                found[top] = None
    return sorted(found)


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str() as module, level=0):
                yield module


def _sources_of(module: str) -> Iterator[Path]:
    path = _FOLDER.parent.joinpath(*module.split(".")).with_suffix(".py")
    if path.is_file():
        yield path
