-- What of callers' words may be kept.

CREATE TABLE privacy_policies (
    account_id uuid PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    masking text NOT NULL CHECK (masking IN ('none', 'numbers', 'all')),
    updated_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE privacy_policies IS 'What is masked in the words of an account''s calls. Without a row: nothing, unless an agent says so.';
COMMENT ON COLUMN privacy_policies.masking IS 'none, numbers or all.';

ALTER TABLE calls ADD COLUMN masking text NOT NULL DEFAULT 'none' CHECK (masking IN ('none', 'numbers', 'all'));
COMMENT ON COLUMN calls.masking IS 'What is masked in its words: of its account and its agent the stricter, as it began.';

CREATE FUNCTION tell_privacy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('offhook_privacy', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_policies AFTER INSERT OR UPDATE OR DELETE ON privacy_policies
FOR EACH STATEMENT EXECUTE FUNCTION tell_privacy();

ALTER TABLE privacy_policies ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON privacy_policies TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON privacy_policies TO offhook_tenant;
