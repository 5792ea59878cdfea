"""What a gateway has recorded, from its objects and its journal, opened with the key of these tests."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np

from orchestrator.core.audio import Pcm
from telephony.recording.objects import END, recording_prefix
from telephony.recording.sealing import Layout, Seal
from tests.integration.telephony.orchestrator import ACCOUNT, KEY
from tests.integration.telephony.sounds import RATE


def objects_of(folder: Path, call_id: UUID) -> Path:
    """Where the objects of a call are."""
    return folder / "objects" / recording_prefix(ACCOUNT, call_id)


def ended(folder: Path, call_id: UUID) -> bool:
    """Whether all of the call is among the objects, and nothing of it elsewhere."""
    return (objects_of(folder, call_id) / END).exists() and not (folder / "journals" / str(call_id)).exists()


def recorded(folder: Path, call_id: UUID) -> tuple[Pcm, Pcm]:
    """Caller and agent. A chunk that was cut off by the death of its writer does not count."""
    seal, layout = Seal(call_id, RATE, KEY), Layout(RATE)
    places = (objects_of(folder, call_id), folder / "journals" / str(call_id))
    segments = {
        path.name: path for place in places if place.exists() for path in place.iterdir() if path.name.isdigit()
    }
    sealed = b"".join(segments[name].read_bytes() for name in sorted(segments))
    whole = ended(folder, call_id)
    pieces = [sealed[start : start + layout.sealed_bytes] for start in range(0, len(sealed), layout.sealed_bytes)]
    if not whole and pieces and len(pieces[-1]) < layout.sealed_bytes:
        pieces.pop()
    pcm = b"".join(seal.open(index, piece) for index, piece in enumerate(pieces))
    stereo = np.frombuffer(pcm, "<i2").reshape(-1, 2)
    return stereo[:, 0], stereo[:, 1]
