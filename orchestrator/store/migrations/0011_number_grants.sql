-- Whose a number is, apart from who answers it: whoever runs the machine says so, or an account would take the calls of
-- another by naming its number first.

CREATE TABLE number_grants (
    number text PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    shown text NOT NULL,
    granted_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, number)
);

COMMENT ON TABLE number_grants IS 'The numbers that each account may let its agents answer.';
COMMENT ON COLUMN number_grants.number IS 'As calls are routed: digits alone, or a name in small letters.';
COMMENT ON COLUMN number_grants.shown IS 'As it was written.';

INSERT INTO number_grants (number, account_id, shown, granted_at)
SELECT number, account_id, shown, assigned_at FROM numbers;

ALTER TABLE numbers ADD FOREIGN KEY (account_id, number) REFERENCES number_grants (account_id, number) ON DELETE CASCADE;

ALTER TABLE number_grants ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON number_grants TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
-- No tenant grants itself anything.
GRANT SELECT ON number_grants TO offhook_tenant;
