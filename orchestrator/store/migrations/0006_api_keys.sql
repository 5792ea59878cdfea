-- Keys for programs: what each may do is written on it, and never more than its maker might.

CREATE TABLE api_keys (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    shown text NOT NULL,
    permissions text[] NOT NULL,
    created_by uuid REFERENCES users (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE INDEX api_keys_account ON api_keys (account_id, created_at DESC, id DESC);

COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the key, which is random and kept nowhere.';
COMMENT ON COLUMN api_keys.shown IS 'Its first characters, by which people know it.';
COMMENT ON COLUMN api_keys.last_used_at IS 'To the minute.';

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT (id, account_id, name, shown, permissions, created_by, created_at, expires_at, last_used_at, revoked_at),
    INSERT, UPDATE (revoked_at) ON api_keys TO offhook_tenant;

ALTER TABLE socket_tickets
    ADD COLUMN key_id uuid REFERENCES api_keys (id) ON DELETE CASCADE,
    ADD COLUMN permissions text[];

COMMENT ON COLUMN socket_tickets.permissions IS 'Of the key that took it; null for those of the role.';
