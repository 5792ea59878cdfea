-- Times of day are timestamptz; a position within a call is double precision, in seconds on its media clock (0 = answer).

CREATE TABLE accounts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE accounts IS 'Tenants. An installation for one company has only the default one.';

INSERT INTO accounts (id, name) VALUES ('00000000-0000-4000-8000-000000000001', 'default');

CREATE TABLE calls (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id),
    agent text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    caller text NOT NULL,
    callee text NOT NULL,
    driver text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    duration double precision,
    recording text,
    -- What the rows of a call refer to, so that none of them can belong to another account.
    UNIQUE (account_id, id),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

CREATE INDEX calls_recent ON calls (account_id, started_at DESC, id DESC);
CREATE INDEX calls_open ON calls (account_id) WHERE ended_at IS NULL;

COMMENT ON COLUMN calls.driver IS 'What carried the call: sip, twilio, vonage or browser.';
COMMENT ON COLUMN calls.duration IS 'Seconds from answer to end.';
COMMENT ON COLUMN calls.recording IS 'Path or key of the stereo recording (left caller, right agent).';

CREATE TABLE turns (
    call_id uuid NOT NULL,
    index integer NOT NULL CHECK (index >= 0),
    account_id uuid NOT NULL,
    answer text,
    caller_text text NOT NULL,
    reply_text text NOT NULL,
    heard_text text NOT NULL,
    marks jsonb NOT NULL,
    spans jsonb NOT NULL,
    voice_to_voice double precision,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (call_id, index),
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE
);

CREATE INDEX turns_latency ON turns (account_id, recorded_at) INCLUDE (answer, voice_to_voice)
WHERE voice_to_voice IS NOT NULL;

COMMENT ON COLUMN turns.answer IS 'Who decided the words of the reply: greeting, approved, llm or fallback.';
COMMENT ON COLUMN turns.reply_text IS 'What the agent set out to say.';
COMMENT ON COLUMN turns.heard_text IS 'What of it was played before the caller cut it or hung up.';
COMMENT ON COLUMN turns.marks IS 'Moments of the turn by name, in seconds on the media clock.';
COMMENT ON COLUMN turns.spans IS 'Seconds between pairs of marks by name; a span that lacks a mark is absent.';
COMMENT ON COLUMN turns.voice_to_voice IS 'Seconds from the end of the caller''s speech to the first reply sample on the wire.';

CREATE TABLE transcripts (
    call_id uuid NOT NULL,
    start_at double precision NOT NULL,
    speaker text NOT NULL CHECK (speaker IN ('caller', 'agent')),
    turn integer NOT NULL,
    end_at double precision NOT NULL,
    account_id uuid NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (call_id, start_at, speaker, turn),
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE
);

COMMENT ON COLUMN transcripts.text IS 'What was said; for the agent, what the caller really heard.';
COMMENT ON COLUMN transcripts.start_at IS 'Seconds on the media clock.';
COMMENT ON COLUMN transcripts.end_at IS 'Seconds on the media clock.';

CREATE TABLE events (
    call_id uuid NOT NULL,
    seq integer NOT NULL CHECK (seq >= 0),
    account_id uuid NOT NULL,
    type text NOT NULL,
    at double precision NOT NULL,
    payload jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (call_id, seq),
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE
);

COMMENT ON COLUMN events.seq IS '0, 1, 2 and so on within the call.';
COMMENT ON COLUMN events.at IS 'Seconds on the media clock.';
