"""Recordings as the orchestrator has them: their keys, their beginning and completion, playback and erasure."""
