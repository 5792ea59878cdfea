#!/usr/bin/env bash
# Runs the tests of the engines that need torch, with torch's CPU build.
set -euo pipefail
environment=$1
uv=$2
cd "$(dirname "$0")/.."
if [ ! -e "$environment/.ready" ]; then
    python3 -m venv --clear "$environment"
    pip=("$environment/bin/pip" install --quiet --disable-pip-version-check)
    "${pip[@]}" torch==2.13.0
    "$uv" pip install --quiet --python "$environment/bin/python" --require-hashes -r requirements-dev.lock
    "${pip[@]}" sentence-transformers transformers
    touch "$environment/.ready"
fi
"$environment/bin/python" -m pytest tests/unit/inference/embed tests/unit/inference/sentiment -m torch
