"""How long coding takes, as far as it shows in the time of the audio."""

from __future__ import annotations

# All three codecs carry 64 kbit/s; their frames in the jitter buffer are counted in bytes.
CODED_BYTES_A_SECOND = 8000

# Seconds that one end's coding or decoding holds audio back: G.722's filter bank, and for G.711 the bridge's resampler.
# The recordings of both ends of loopback calls lie 6.4 ms (G.722) and 6.8 ms (G.711) apart in each direction.
CODING_DELAY = 0.0033
