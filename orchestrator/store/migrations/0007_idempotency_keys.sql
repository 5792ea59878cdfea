-- Requests that must not take effect twice: who sends one again under the same key gets the answer of the first.

CREATE TABLE idempotency_keys (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    key bytea NOT NULL,
    request bytea NOT NULL,
    running_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answer bytea,
    PRIMARY KEY (account_id, key)
);

CREATE INDEX idempotency_keys_expired ON idempotency_keys (account_id, expires_at);

COMMENT ON COLUMN idempotency_keys.key IS 'HMAC of the key and of who sent it.';
COMMENT ON COLUMN idempotency_keys.request IS 'HMAC of what was asked.';
COMMENT ON COLUMN idempotency_keys.running_until IS 'Without an answer by then, nobody knows whether it took effect.';
COMMENT ON COLUMN idempotency_keys.answer IS 'Encrypted under the installation''s key.';

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON idempotency_keys TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO offhook_tenant;
