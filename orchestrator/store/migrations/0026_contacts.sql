-- Whom an account knows by their telephone number.

CREATE TABLE contacts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number text NOT NULL,
    shown text NOT NULL,
    name text NOT NULL,
    language text,
    notes text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, number)
);

CREATE INDEX contacts_recent ON contacts (account_id, created_at DESC, id DESC);

COMMENT ON TABLE contacts IS 'People whom an account knows by the number that they call from or are called at.';
COMMENT ON COLUMN contacts.number IS 'As numbers are compared: digits, of one with a country code without what comes before it.';
COMMENT ON COLUMN contacts.shown IS 'As it is written: E.164 for one with a country code.';
COMMENT ON COLUMN contacts.language IS 'BCP 47; null when nobody knows.';

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON contacts TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO offhook_tenant;
