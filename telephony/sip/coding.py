"""How long coding takes, as far as it shows in the time of the audio."""

from __future__ import annotations

# All three codecs carry 64 kbit/s; their frames in the jitter buffer are counted in bytes.
CODED_BYTES_A_SECOND = 8000

# Seconds that coding or decoding holds audio back at one end: G.722's filter bank; for G.711 PJSIP's resampler with its
# large filter (the small one is 3 ms quicker and loses 5 dB at 3 kHz). The recordings of both ends of loopback calls
# lie 6.4 ms (G.722) and 13.3 ms (G.711) apart in each direction.
_CODING_DELAY = {"G722": 0.0032, "PCMU": 0.0066, "PCMA": 0.0066}
USUAL_CODING_DELAY = 0.0066


def coding_delay(codec: str) -> float:
    """Seconds that coding, or decoding, takes at one end of a call with *codec*, at a bridge of 16 kHz."""
    return _CODING_DELAY.get(codec, USUAL_CODING_DELAY)
