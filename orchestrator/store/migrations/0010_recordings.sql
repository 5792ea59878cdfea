-- Recordings are objects, sealed with a key of their own; here is that key, wrapped, and how long each is.

-- A path of a plain file, as they used to be.
ALTER TABLE calls DROP COLUMN recording;

CREATE TABLE account_keys (
    account_id uuid PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    wrapped bytea NOT NULL,
    master text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE account_keys IS 'The data key of each account. Without it, nothing that was sealed for it opens.';
COMMENT ON COLUMN account_keys.wrapped IS 'The key under the master key.';
COMMENT ON COLUMN account_keys.master IS 'Which master key that was.';

CREATE TABLE recordings (
    call_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    wrapped_key bytea NOT NULL,
    rate integer NOT NULL CHECK (rate > 0),
    start_at double precision NOT NULL,
    samples bigint CHECK (samples >= 0),
    recovered boolean,
    completed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE,
    CHECK ((completed_at IS NULL) = (samples IS NULL) AND (completed_at IS NULL) = (recovered IS NULL))
);

CREATE TABLE consents (
    call_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    given boolean NOT NULL,
    how text NOT NULL,
    at double precision NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE
);

CREATE INDEX consents_account ON consents (account_id);

COMMENT ON TABLE consents IS 'Whether the caller let the call be recorded.';
COMMENT ON COLUMN consents.how IS 'speech, key, notice; or silence, other_words, not_heard where nobody agreed.';
COMMENT ON COLUMN consents.at IS 'Seconds on the media clock.';

CREATE INDEX recordings_incomplete ON recordings (call_id) WHERE completed_at IS NULL;
CREATE INDEX recordings_account ON recordings (account_id);

COMMENT ON COLUMN recordings.wrapped_key IS 'The key of its chunks under the key of its account.';
COMMENT ON COLUMN recordings.rate IS 'Hz.';
COMMENT ON COLUMN recordings.start_at IS 'Seconds on the media clock.';
COMMENT ON COLUMN recordings.samples IS 'Of each channel; null until all of it is in the object store.';
COMMENT ON COLUMN recordings.recovered IS 'The process that recorded it died; it reaches to half a second before that.';

ALTER TABLE account_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE recordings ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON account_keys TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON recordings TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT (account_id, master, created_at) ON account_keys TO offhook_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON recordings TO offhook_tenant;
CREATE POLICY tenant ON consents TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, DELETE ON consents TO offhook_tenant;
