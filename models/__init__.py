"""Model manifests and profiles, one TOML file each, and the small weights that live beside them."""

from __future__ import annotations

from pathlib import Path

MODELS_DIR = Path(__file__).resolve().parent
"""The folder of the manifests, in a checkout and in an installed wheel alike."""
