-- Signing in at somebody else's: who is believed, whom they told us of, and what is between a browser's leaving and coming back.

CREATE TABLE identity_providers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name text NOT NULL,
    issuer text NOT NULL,
    client_id text NOT NULL,
    secret bytea,
    hosts text[] NOT NULL,
    domains text[] NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'client', 'support')),
    enabled boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, id)
);

CREATE INDEX identity_providers_account ON identity_providers (account_id, created_at DESC, id DESC);

COMMENT ON COLUMN identity_providers.secret IS 'The client''s secret, sealed; null for a client without one.';
COMMENT ON COLUMN identity_providers.hosts IS 'Hosts beside the issuer''s own that its endpoints may be on.';
COMMENT ON COLUMN identity_providers.domains IS 'Of e-mail addresses whose owners become users by signing in; in small letters.';
COMMENT ON COLUMN identity_providers.role IS 'What they become.';

CREATE TABLE identities (
    provider_id uuid NOT NULL,
    account_id uuid NOT NULL,
    user_id uuid NOT NULL,
    subject text,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider_id, user_id),
    UNIQUE (provider_id, subject),
    FOREIGN KEY (account_id, provider_id) REFERENCES identity_providers (account_id, id) ON DELETE CASCADE,
    FOREIGN KEY (account_id, user_id) REFERENCES memberships (account_id, user_id) ON DELETE CASCADE
);

CREATE INDEX identities_member ON identities (account_id, user_id);

COMMENT ON COLUMN identities.subject IS 'Who the user is to the provider; null until who has the user''s address signs in.';

CREATE TABLE oidc_flows (
    state bytea PRIMARY KEY,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (account_id, provider_id) REFERENCES identity_providers (account_id, id) ON DELETE CASCADE
);

CREATE INDEX oidc_flows_expired ON oidc_flows (expires_at);
CREATE INDEX oidc_flows_provider ON oidc_flows (account_id, provider_id);

COMMENT ON TABLE oidc_flows IS 'Browsers that are at a provider.';
COMMENT ON COLUMN oidc_flows.state IS 'SHA-256 of what the browser brings back, which is random and kept nowhere.';
COMMENT ON COLUMN oidc_flows.sealed IS 'Nonce, PKCE verifier, where the browser goes on, and the challenge of who began.';

CREATE TABLE sign_in_codes (
    hash bytea PRIMARY KEY,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    FOREIGN KEY (account_id, provider_id) REFERENCES identity_providers (account_id, id) ON DELETE CASCADE
);

CREATE INDEX sign_in_codes_expired ON sign_in_codes (expires_at);
CREATE INDEX sign_in_codes_provider ON sign_in_codes (account_id, provider_id);

COMMENT ON TABLE sign_in_codes IS 'What browsers that came back change for tokens, once.';
COMMENT ON COLUMN sign_in_codes.hash IS 'SHA-256 of the code, which is random and kept nowhere.';
COMMENT ON COLUMN sign_in_codes.sealed IS 'Whom the provider told us of, and the challenge of who began.';

ALTER TABLE identity_providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE oidc_flows ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identity_providers TO offhook_tenant
    USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON identities TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
GRANT SELECT (id, account_id, name, issuer, client_id, hosts, domains, role, enabled, created_at), INSERT, UPDATE, DELETE
    ON identity_providers TO offhook_tenant;
GRANT SELECT, INSERT, DELETE ON identities TO offhook_tenant;
