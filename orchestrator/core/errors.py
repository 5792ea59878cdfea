"""The errors that cross modules; those of one module, such as a name that is taken, stand in it.

VoiceError
├─ EngineError(engine, retryable)
│  ├─ EngineTimeout      no answer within the engine's deadline
│  ├─ EngineOverloaded   the engine refuses more work now
│  ├─ EngineUnavailable  its process or replica is gone; another try may meet a new one
│  └─ BadOutput          it answered, but with something that cannot be used
├─ LegError
│  ├─ Hangup             the other side has left the call
│  └─ CarrierRejected    the carrier refused the call: SIP status and reason
├─ StoreUnavailable      the database does not answer
├─ RecordRefused         the database answers that it will never keep this record
├─ RecordingDamaged      what is stored is not what was recorded
├─ RecordingUnavailable  part of a recording, or its key, cannot be had now
├─ ConfigError           bad manifest or settings: refuse to start, saying what and where
└─ ApiError(status, code)
"""

from __future__ import annotations

from collections.abc import Mapping


class VoiceError(Exception):
    """The root of every error that this product raises on purpose."""


class EngineError(VoiceError):
    """An engine failed. engine: its manifest's name; retryable: whether the same request may succeed later."""

    retryable = False

    def __init__(self, engine: str, message: str) -> None:
        super().__init__(f"{engine}: {message}")
        self.engine = engine
        self.message = message

    def __reduce__(self) -> tuple[type[EngineError], tuple[str, str]]:
        """Errors cross process borders: rebuild from both arguments."""
        return type(self), (self.engine, self.message)


class EngineTimeout(EngineError):
    """No answer within the deadline."""

    retryable = True


class EngineOverloaded(EngineError):
    """The engine refuses more work for now."""

    retryable = True


class EngineUnavailable(EngineError):
    """The process or replica that runs the engine is gone."""

    retryable = True


class BadOutput(EngineError):
    """The engine answered with something that cannot be used."""


class LegError(VoiceError):
    """The call leg cannot do what was asked."""


class Hangup(LegError):
    """The other side has left the call."""


class CarrierRejected(LegError):
    """The carrier refused the call. status: SIP status code; reason: its phrase."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"carrier refused the call: {status} {reason}")
        self.status = status
        self.reason = reason


class StoreUnavailable(VoiceError):
    """The database does not answer."""


class RecordRefused(VoiceError):
    """The database will never keep this record, however often it is tried."""


class RecordingDamaged(VoiceError):
    """What is stored is not what was recorded."""


class RecordingUnavailable(VoiceError):
    """Part of a recording, or its key, cannot be had at this moment."""


class ConfigError(VoiceError):
    """A manifest, agent or setting is wrong. The message says which file, which field and what is accepted."""


class ApiError(VoiceError):
    """A request cannot be served. status: HTTP status; code: stable machine-readable reason; headers: of the answer."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
