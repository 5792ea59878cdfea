"""`/api/v1/calls/{id}/recording` says what was recorded, `/api/v1/recordings/{link}` plays it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain, islice
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Query
from fastapi.responses import StreamingResponse

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.recordings.ranges import Unsatisfiable, requested
from orchestrator.api.recordings.schemas import RecordingRead
from orchestrator.core.errors import ApiError, RecordingDamaged, RecordingUnavailable
from orchestrator.recordings.archive import Archive
from orchestrator.recordings.formats import Wav, opus
from orchestrator.recordings.links import Links
from orchestrator.recordings.playback import Channel, Playback


class Format(StrEnum):
    """How a recording comes."""

    WAV = "wav"
    OPUS = "opus"


_MEDIA = {Format.WAV: "audio/wav", Format.OPUS: "audio/ogg"}
_ENDINGS = {Format.WAV: "wav", Format.OPUS: "ogg"}
_AUDIO: dict[str, object] = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _MEDIA.values()}
_Bytes = Annotated[str | None, Header(alias="Range", max_length=256, description="One range of bytes of a WAV.")]
_IfRange = Annotated[str | None, Header(max_length=256)]


def recordings_router(archive: Archive, links: Links, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1", tags=["recordings"])
    reader, eraser = (
        Depends(door.needs(permission)) for permission in (Permission.READ_RECORDINGS, Permission.MANAGE_PRIVACY)
    )

    @router.get("/calls/{call_id}/recording")
    async def get_recording(call_id: UUID, who: Identity = reader) -> RecordingRead:
        """What was recorded of a call, and a link that plays it for 15 minutes."""
        found = await archive.library.find(who.account, call_id)
        if found is None:
            raise ApiError(404, "recording_not_found", f"there is no recording of a call {call_id}")
        link, expires = links.issue(who.account, call_id)
        whole = found.playable
        return RecordingRead(
            call_id=call_id,
            rate=found.rate,
            start_at=round(found.start_at, 3),
            complete=whole,
            masked=found.masked,
            recovered=found.recovered,
            seconds=None if found.samples is None else round(found.samples / found.rate, 3),
            url=f"/api/v1/recordings/{link}" if whole else None,
            expires_at=datetime.fromtimestamp(expires, UTC) if whole else None,
        )

    @router.delete("/calls/{call_id}/recording", status_code=204)
    async def delete_recording(call_id: UUID, who: Identity = eraser) -> None:
        """Remove the recording of a call for good: its key, and every object that the key opens."""
        found = await archive.library.find(who.account, call_id)
        if found is None:
            raise ApiError(404, "recording_not_found", f"there is no recording of a call {call_id}")
        if found.samples is None:
            raise ApiError(409, "recording_not_complete", "the recording is still being made; try again soon")
        try:
            await archive.erasure.delete(who.account, call_id)
        except RecordingUnavailable as error:
            raise ApiError(503, "recording_unavailable", "the object store does not answer; try again soon") from error

    @router.get(
        "/recordings/{link}",
        response_class=StreamingResponse,
        responses={200: {"content": _AUDIO}, 206: {"description": "The range.", "content": _AUDIO}},
    )
    async def play_recording(
        link: Annotated[str, Path(max_length=256)],
        *,
        channel: Channel = Channel.BOTH,
        file: Annotated[Format, Query(alias="format")] = Format.WAV,
        wanted: _Bytes = None,
        if_range: _IfRange = None,
    ) -> StreamingResponse:
        """The audio: caller left, agent right, or one of them. The link is the proof; it comes from the call."""
        linked = links.read(link)
        try:
            playback = await archive.library.open(linked.account, linked.call_id)
            headers = {
                "Cache-Control": "private, no-store",
                "Content-Disposition": f'attachment; filename="{linked.call_id}.{_ENDINGS[file]}"',
                "Accept-Ranges": "bytes" if file is Format.WAV else "none",
            }
            if file is Format.OPUS:
                return await _streamed(opus(playback, channel), 200, file, headers)
            tag = f'"{linked.call_id}-{playback.frames}-{channel}"'
            return await _wav(playback, channel, wanted if if_range in {None, tag} else None, {**headers, "ETag": tag})
        except RecordingUnavailable as error:
            raise ApiError(503, "recording_unavailable", "the recording cannot be had now; try again soon") from error
        except RecordingDamaged as error:
            raise ApiError(500, "recording_damaged", "what is stored is not what was recorded") from error

    return router


async def _wav(playback: Playback, channel: Channel, wanted: str | None, headers: dict[str, str]) -> StreamingResponse:
    wav = Wav(playback, channel)
    try:
        part = requested(wanted, wav.size)
    except Unsatisfiable as error:
        told = {"Content-Range": f"bytes */{wav.size}"}
        raise ApiError(416, "range_not_satisfiable", f"the file has {wav.size} bytes", told) from error
    start, stop = part or (0, wav.size)
    headers |= {"Content-Length": str(stop - start)}
    if part is not None:
        headers |= {"Content-Range": f"bytes {start}-{stop - 1}/{wav.size}"}
    return await _streamed(wav.read(start, stop), 200 if part is None else 206, Format.WAV, headers)


async def _streamed(pieces: Iterator[bytes], status: int, file: Format, headers: dict[str, str]) -> StreamingResponse:
    """Raises what the first pieces raise, while there still is a status to tell it by."""
    # Of a WAV: its header, and what needed the key.
    first = await asyncio.to_thread(lambda: list(islice(pieces, 2)))
    return StreamingResponse(chain(first, pieces), status, headers, media_type=_MEDIA[file])
