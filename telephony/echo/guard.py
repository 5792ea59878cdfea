"""Decides, frame by frame, what passes of a caller's line while the agent can be heard on it.

While nothing is played the near end passes as it is, bit for bit; so does, but for the first 0.2 s at the most, whoever
speaks over an agent that is not heard to come back. What is no louder than an echo can be (Bounds) is taken for one,
and the line's own noise goes in its place; so it does for noise, in which a soft echo may be. Once its way is known, a
filter takes the echo away; somebody who speaks over it is then told by what the filter leaves, and passes without it.
"""

from __future__ import annotations

import numpy as np

from orchestrator.core.audio import FULL_SCALE, Pcm
from telephony.echo.doubt import Doubt
from telephony.echo.levels import COUNT, Bounds, Noise, Spectrums, bands, excess
from telephony.echo.path import Bands, FarEnd, Signal, Spectrum
from telephony.echo.search import DelaySearch, Echo, Trial

RATES = (8000, 16000)
FRAMES_A_SECOND = 50

# Frames until the last of the latest echo: a network's round trip (ITU-T G.131 ends at 0.4 s), both jitter buffers when
# they are full, and a room.
_TAIL = 34
# Frames after the last of the far end in which a room may still sound.
_ROOM = 10

# dB over what an echo can be, on average over the bands, that another voice brings; the last needs no second look.
_UNKNOWN_DB, _SPEECH_DB, _SURELY_DB = 2.0, 2.0, 4.0
_FRAMES_OF_SPEECH = 2
# A filter that takes this much away shows that there is an echo, and how loud; one that takes more knows it, and then
# a voice also shows in what it leaves. Neither outlasts the echo: a voice that is held back takes them away.
_KNOWN_DB, _TRUSTED_DB = 1.5, 5.0
_SOMETHING_DB = 0.3
# The echo is away for now when subtracting it makes so much more, not less, in power: some telephones open and close a
# suppressor. A filter that went on learning would forget it.
_AWAY = 4.0
# An echo that has moved is there twice after the subtraction; a voice is no more than it was, but for what they share.
_TWICE = 1.4
# Over the averages of an echo, and of one of which only a few sounds were heard.
_MARGIN, _NEW_MARGIN = np.float32(10**0.8), np.float32(10**1.4)

# Frames for which a voice passes after its last sure one: words have softer parts.
_HOLD = 10
# A caller who was speaking when the agent began.
_WAS_SPEAKING, _HOLD_ON = 8, 25

_UP, _DOWN, _TAKEN = 0.15, 0.04, 0.1
_RAMP = 0.002


class EchoGuard:
    """The guard of one call. rate: Hz of both directions, 8000 or 16000. Raises ValueError for any other."""

    def __init__(self, rate: int = 16000) -> None:
        if rate not in RATES:
            raise ValueError(f"rate must be {' or '.join(map(str, RATES))} Hz, not {rate}")
        self._frame = rate // FRAMES_A_SECOND
        self._spectrums = Spectrums(self._frame)
        self._far = FarEnd(self._frame, _TAIL, COUNT, bands)
        self._noise = Noise(self._spectrums.audible)
        self._bounds = Bounds(self._far, self._spectrums.audible)
        self._limit = self._noise.limit
        self._search = DelaySearch(self._far)
        self._echo: Echo | None = None
        self._trial: Trial | None = None
        self._possible = 0  # frames in which an echo may still come
        self._spoke = 0
        self._doubt = Doubt()
        self._voiced = 0
        self._hold = 0
        self._gain = 1.0
        self._ramp = np.linspace(0.0, 1.0, round(_RAMP * rate), dtype=np.float32)
        self._draw = np.random.default_rng(0)
        self._comfort = self._draw.standard_normal(rate, dtype=np.float32)

    def hear(self, near: Pcm, far: Pcm) -> Pcm:
        """What the caller says in the 20 ms of *near*, without what comes back of the agent.

        near, far: what came in and what went out in one tick, int16, shape (rate / 50,); the ticks of a call must
        come in order. Returns *near* itself where it holds no echo. Raises ValueError for any other shape or type.
        """
        for pcm in (near, far):
            if pcm.shape != (self._frame,) or pcm.dtype != np.int16:
                raise ValueError(f"a frame must be int16 of shape ({self._frame},), not {pcm.dtype} of {pcm.shape}")
        self._far.push(_scaled(far))
        signal = _scaled(near)
        spectrum = self._spectrums.of(signal)
        powers = bands(spectrum)
        active = self._noise.hear(powers)
        self._limit = self._bounds.hear(powers) + self._noise.limit
        if not self._may_echo():
            self._spoke = _WAS_SPEAKING if active else max(0, self._spoke - 1)
            self._hold, self._gain = (_HOLD_ON if self._spoke else 0), 1.0
            return near
        left = self._subtract(signal, spectrum, powers, active)
        if self._echo is None and self._hold and self._gain == 1.0:
            return near
        return self._passed(left)

    def _may_echo(self) -> bool:
        if self._far.bands[0].sum() > 4 * self._spectrums.audible:
            self._possible = _TAIL + _ROOM
        else:
            self._possible = max(0, self._possible - 1)
        return self._possible > 0

    def _subtract(self, signal: Signal, spectrum: Spectrum, powers: Bands, active: bool) -> Signal:
        """*signal* without the echo; whether there is a voice in it is noted."""
        left, rest, remains = signal, spectrum, powers
        echo, away = self._echo, False
        if echo is not None:
            left = signal - echo.path.predict()
            rest = self._spectrums.of(left)
            remains = bands(rest)
            away = remains.sum() > _AWAY * powers.sum()
        less = remains.sum() < powers.sum()
        if active:
            self._look_for(signal, left if less else signal, powers, remains if less else powers)
        self._judge(powers, remains, active, away)
        if echo is not None and echo is self._echo and active and not away:
            echo.path.learn(rest)
        # Where an echo is expected and does not come, the filter would only add one.
        return left if less else signal

    def _look_for(self, signal: Signal, left: Signal, powers: Bands, remains: Bands) -> None:
        """Look for an echo in what is left, and try the filter that would take it away."""
        lag = self._search.look(self._spectrums.of(left * self._search.window))
        if lag is not None and self._search.certain and self._has_none_at(lag):
            self._adopt(Echo(self._far, lag, self._echo))
            return
        if lag is not None and (self._trial is None or not self._trial.echo.is_at(lag)):
            self._trial = Trial(self._far, lag)
            return
        if self._trial is None:
            return
        path = self._trial.echo.path
        rest = self._spectrums.of(signal - path.predict())
        path.learn(rest)
        if self._trial.hear(rest, powers, remains):
            self._adopt(self._trial.echo)
        elif self._trial.over:
            self._trial = None
            if self._echo is None:
                self._doubt.refute()

    def _has_none_at(self, lag: int) -> bool:
        echo = self._echo
        return echo is None or (echo.taken_db < _KNOWN_DB and not echo.is_at(lag))

    def _adopt(self, echo: Echo) -> None:
        self._echo, self._trial = echo, None
        self._search.forget()
        self._doubt.confirm()

    def _judge(self, powers: Bands, remains: Bands, active: bool, away: bool) -> None:
        """Note whether this frame holds a voice that is no echo; noise is none, whatever the limits are."""
        if not active:
            self._voiced, self._hold = 0, max(0, self._hold - 1)
            return
        noise = self._noise.limit
        echo = self._echo
        if echo is None:
            over = excess(powers, self._limit)
            voiced = over > _UNKNOWN_DB
        elif echo.whole is None or echo.left is None:
            over, voiced = 0.0, False
        else:
            trusted = echo.taken_db > _TRUSTED_DB and remains.sum() < _TWICE * powers.sum()
            played = (echo.played if trusted else echo.around) * (_MARGIN if echo.settled else _NEW_MARGIN)
            over = excess(powers, np.exp(echo.whole) * played + noise)
            if not echo.settled:
                over = min(over, excess(powers, self._limit))
            beyond = excess(remains, np.exp(echo.left) * played + noise)
            beside = trusted and beyond > _SPEECH_DB and over > _SOMETHING_DB
            voiced = beside or over > (_SPEECH_DB if echo.settled else _SURELY_DB)
        if echo is not None and not voiced and not away:
            echo.hear(powers, remains, up=_UP, down=_DOWN, taken=_TAKEN)
            if echo.refuted and self._trial is None and not self._search.suspects:
                self._echo = None
        if voiced and echo is None and (not self._hold or over < _SURELY_DB):
            suspects = self._trial is not None or self._search.suspects
            if self._doubt.holds_back(suspects, over):
                self._voiced = self._hold = 0
                return
        self._voiced = self._voiced + 1 if voiced else 0
        if self._voiced >= _FRAMES_OF_SPEECH or over > _SURELY_DB:
            self._hold = max(_HOLD, self._hold)
        else:
            self._hold = max(0, self._hold - 1)

    def _passed(self, left: Signal) -> Pcm:
        """*left* while somebody speaks, and otherwise noise as the line has it."""
        target = 1.0 if self._hold else 0.0
        level = np.float32(np.sqrt(2 * self._noise.bands.sum()) / self._frame)
        passed = level * self._comfort[self._draw.integers(len(self._comfort) - self._frame) :][: self._frame]
        if target or self._gain:
            gain = np.full(self._frame, target, dtype=np.float32)
            gain[: len(self._ramp)] = self._gain + (target - self._gain) * self._ramp
            passed = gain * left + (1 - gain) * passed
        self._gain = target
        return np.clip(np.round(passed * FULL_SCALE), -32768, 32767).astype(np.int16)


def _scaled(pcm: Pcm) -> Signal:
    return pcm.astype(np.float32) / np.float32(FULL_SCALE)
