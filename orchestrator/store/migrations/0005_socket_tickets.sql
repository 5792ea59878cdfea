-- WebSockets of browsers carry no header: who has a token takes a ticket, good once and for seconds, and shows it instead.

CREATE TABLE socket_tickets (
    hash bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id uuid REFERENCES users (id) ON DELETE CASCADE,
    session_id uuid REFERENCES sessions (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('admin', 'client', 'support')),
    expires_at timestamptz NOT NULL
);

CREATE INDEX socket_tickets_expired ON socket_tickets (expires_at);

COMMENT ON COLUMN socket_tickets.hash IS 'SHA-256 of the ticket, which is random and kept nowhere.';
COMMENT ON COLUMN socket_tickets.user_id IS 'Null for the machine''s operator.';

ALTER TABLE socket_tickets ENABLE ROW LEVEL SECURITY;
