"""Calls from a browser: microphone and loudspeaker over one WebSocket, in the leg protocol of telephony.leg.

The page plays the gateway's part. It is told `ringing`, says `answered` with rate 16000 once its microphone runs, and
then sends 20 ms of PCM16 a message behind the 24-byte header of telephony.leg.frame, and `playing`, `drained`,
`cleared`, `dtmf` and `hangup` as a gateway does; it is sent PCM16, `clear` and `hangup`.
"""
