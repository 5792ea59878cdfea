-- Callers who asked to be forgotten, and what was signed about it.

CREATE TABLE erasures (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    caller bytea,
    asked_at timestamptz NOT NULL,
    calls uuid[] NOT NULL DEFAULT '{}',
    erased jsonb NOT NULL DEFAULT '{}',
    waits_for text CHECK (waits_for IN ('call', 'spool')),
    receipt jsonb,
    finished_at timestamptz,
    CHECK ((finished_at IS NULL) = (receipt IS NULL) AND (finished_at IS NULL OR caller IS NULL))
);

CREATE INDEX erasures_recent ON erasures (account_id, asked_at DESC, id DESC);

COMMENT ON COLUMN erasures.caller IS 'The number, encrypted under the installation''s key; null once it is forgotten.';
COMMENT ON COLUMN erasures.calls IS 'That were erased so far.';
COMMENT ON COLUMN erasures.erased IS 'How many things of each kind, so far.';
COMMENT ON COLUMN erasures.waits_for IS 'Why it is not finished: a call of the caller goes on, or records of one wait on a disk.';
COMMENT ON COLUMN erasures.receipt IS 'What was erased, signed.';

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON erasures TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON erasures TO offhook_tenant;
