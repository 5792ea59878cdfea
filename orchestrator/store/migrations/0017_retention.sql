-- How long what is kept of calls is kept.

CREATE TABLE retention_policies (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('calls', 'transcripts', 'recordings', 'events', 'jobs', 'audit')),
    days integer NOT NULL CHECK (days > 0),
    PRIMARY KEY (account_id, kind)
);

COMMENT ON TABLE retention_policies IS 'After which what an account keeps is erased. Without a row it is kept for ever.';
COMMENT ON COLUMN retention_policies.days IS 'Since the end of the call, since a job was over, or since an entry was written.';

ALTER TABLE calls ADD COLUMN transcript_erased_at timestamptz, ADD COLUMN events_erased_at timestamptz;
COMMENT ON COLUMN calls.transcript_erased_at IS 'When its words were erased, while the call itself is kept.';
COMMENT ON COLUMN calls.events_erased_at IS 'When its events were.';

CREATE INDEX calls_ended ON calls (account_id, ended_at) WHERE ended_at IS NOT NULL;

-- The chain of an account begins behind what was erased of it: the hash says what the first entry that is left follows.
CREATE TABLE audit_beginnings (
    account_id uuid PRIMARY KEY REFERENCES accounts (id),
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

COMMENT ON TABLE audit_beginnings IS 'Up to where an account''s audit log was erased for its age.';
COMMENT ON COLUMN audit_beginnings.seq IS 'The last entry that was erased.';
COMMENT ON COLUMN audit_beginnings.hash IS 'Its hash.';

CREATE FUNCTION refuse_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM audit_beginnings WHERE account_id = OLD.account_id AND seq >= OLD.seq) THEN
        RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE TRIGGER only_added_to BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER only_its_beginning BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION refuse_erasing();

ALTER TABLE retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_beginnings ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON retention_policies TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON audit_beginnings TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_policies TO offhook_tenant;
GRANT SELECT ON audit_beginnings TO offhook_tenant;
