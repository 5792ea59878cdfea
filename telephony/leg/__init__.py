"""The leg protocol: how a gateway carries one call to the orchestrator over a socket, and both ends of it.

One socket a call. The gateway opens it at the INVITE and sends *reports*; the orchestrator answers with *commands*.

    gateway                                   orchestrator
    invite ──────────────────────────────────►
           ◄────────────────────────────────── accept | reject
    answered ────────────────────────────────►           media runs: the media clock stands at 0
    ≈ caller's audio, counters ≈≈≈≈≈≈≈≈≈≈≈≈≈≈►           binary, one message per 20 ms (frame.py)
           ◄≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈≈ reply audio ≈           binary PCM of any length
    playing, drained, dtmf, cleared, failed ─►
           ◄───────── clear | record | transfer | hangup
    recording ───────────────────────────────►           after record: the first sample that is kept
    hangup ──────────────────────────────────►           the last message; both sides close

Text messages are JSON (messages.py). Every time and count on the wire is in samples at the `rate` that `answered`
names; times count from the answer. The gateway owns the playout queue and pads it with silence only when it has run
dry.
"""
