-- Programs that are told what happens, and what each of them was told.

CREATE TABLE webhooks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    url text NOT NULL,
    events text[] NOT NULL,
    description text NOT NULL DEFAULT '',
    secret bytea NOT NULL,
    former_secret bytea,
    former_until timestamptz,
    enabled boolean NOT NULL DEFAULT true,
    disabled_by text,
    failing_since timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, id)
);

COMMENT ON TABLE webhooks IS 'Programs of the company that are told what happens.';
COMMENT ON COLUMN webhooks.secret IS 'What messages are signed with, sealed.';
COMMENT ON COLUMN webhooks.former_secret IS 'The one before, which signs as well until former_until.';
COMMENT ON COLUMN webhooks.disabled_by IS 'Why nothing is sent: somebody, gone, or failing for days.';
COMMENT ON COLUMN webhooks.failing_since IS 'Since when nothing was taken.';

CREATE TABLE webhook_deliveries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    data jsonb NOT NULL,
    happened_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    status integer,
    error text,
    seconds double precision,
    tried_at timestamptz,
    UNIQUE (webhook_id, event_id),
    FOREIGN KEY (account_id, webhook_id) REFERENCES webhooks (account_id, id) ON DELETE CASCADE
);

CREATE INDEX webhook_deliveries_recent ON webhook_deliveries (account_id, webhook_id, happened_at DESC, id DESC);
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (happened_at);

COMMENT ON COLUMN webhook_deliveries.data IS 'Ids and figures: nothing that was said, and nobody''s number.';
COMMENT ON COLUMN webhook_deliveries.status IS 'Of the latest answer.';
COMMENT ON COLUMN webhook_deliveries.error IS 'Why the latest try failed: a code.';
COMMENT ON COLUMN webhook_deliveries.seconds IS 'That the latest try took.';

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhooks TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON webhook_deliveries TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks, webhook_deliveries TO offhook_tenant;
