"""Recordings of calls: two channels, sealed as they come, kept in an object store.

    samples ──► Recordings (a thread) ──► CallJournal (sealed chunks on this disk) ──► Uploads (a thread) ──► objects

A process that is killed loses half a second at the most; the next one carries what is left of the journal to the
objects. Nothing is ever written that could be read without the call's key.
"""

from __future__ import annotations

from telephony.recording.objects import Objects, open_objects
from telephony.recording.recorder import Recording, Recordings
from telephony.recording.sealing import ContentKey, Layout, Seal

__all__ = ["ContentKey", "Layout", "Objects", "Recording", "Recordings", "Seal", "open_objects"]
