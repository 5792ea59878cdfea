"""The environment variables of processes that run engines."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_THREAD_LIMITS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
_FIXED = {
    # Threads that spin while they wait for each other collapse when another process holds one of their cores.
    "OMP_WAIT_POLICY": "PASSIVE",
    # BLAS gains nothing on arrays of this size, and its threads spin whatever the policy says.
    "OPENBLAS_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Nothing that an engine is built from may call home, or fetch what its manifest does not name.
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "PYTHONPATH": str(_ROOT),
}


def engine_environment(threads: int) -> dict[str, str]:
    """What a process needs to know beforehand whose engines may keep *threads* threads busy each."""
    return dict.fromkeys(_THREAD_LIMITS, str(threads)) | _FIXED
