-- Who did what. Each entry holds the hash of the one before, so that none can be changed or taken out unseen.

CREATE TABLE audit_log (
    account_id uuid NOT NULL REFERENCES accounts (id),
    seq bigint NOT NULL CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'key', 'operator')),
    actor uuid,
    action text NOT NULL,
    subject jsonb NOT NULL,
    request text NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (account_id, seq)
);

COMMENT ON COLUMN audit_log.seq IS '1, 2, 3 and so on within the account.';
COMMENT ON COLUMN audit_log.actor IS 'The user or key; null for the machine''s operator.';
COMMENT ON COLUMN audit_log.action IS 'The operation, as docs/openapi.json names it.';
COMMENT ON COLUMN audit_log.subject IS 'What it was done to: the names in the path. Never what a caller said or is called.';
COMMENT ON COLUMN audit_log.previous IS 'Hash of the entry before; zeros for the first.';
COMMENT ON COLUMN audit_log.hash IS 'SHA-256 of previous and of all the rest.';

CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION refuse_rewriting();

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_log TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT ON audit_log TO offhook_tenant;
