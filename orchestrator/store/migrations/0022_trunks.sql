-- Carriers and PBXs of an account's own, beside those in the operator's file.

CREATE TABLE trunks (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name text NOT NULL,
    networks cidr[] NOT NULL,
    registrar text,
    domain text,
    realm text NOT NULL,
    username text,
    password bytea,
    expires integer NOT NULL,
    peer text,
    transport text NOT NULL CHECK (transport IN ('udp', 'tcp')),
    echo_guard boolean NOT NULL,
    enabled boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, name)
);

COMMENT ON TABLE trunks IS 'Carriers and PBXs that an account is called by, and calls out through.';
COMMENT ON COLUMN trunks.networks IS 'Where its calls come from; without any, the registrar''s own addresses.';
COMMENT ON COLUMN trunks.registrar IS 'host[:port] to keep registered at.';
COMMENT ON COLUMN trunks.domain IS 'Of the carrier''s account, when it is not the registrar''s host.';
COMMENT ON COLUMN trunks.realm IS 'That may ask for the password; * for any.';
COMMENT ON COLUMN trunks.password IS 'For digest authentication, sealed.';
COMMENT ON COLUMN trunks.expires IS 'Seconds asked of the registrar.';
COMMENT ON COLUMN trunks.peer IS 'host[:port] that outbound calls go to, when there is no registrar.';

CREATE FUNCTION tell_trunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('offhook_trunks', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_trunks AFTER INSERT OR UPDATE OR DELETE ON trunks
FOR EACH STATEMENT EXECUTE FUNCTION tell_trunks();

ALTER TABLE trunks ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON trunks TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON trunks TO offhook_tenant;
