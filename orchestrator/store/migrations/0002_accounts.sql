-- Who may sign in, and what each of them may touch. Rows of a tenant are shown to the role offhook_tenant alone under
-- the account in the setting offhook.account: what a repository forgets to ask for, PostgreSQL still refuses.

DO $$
DECLARE
    -- From PostgreSQL 16 on, who makes a role may administer it and still not take it.
    needed text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'offhook_tenant') THEN
            CREATE ROLE offhook_tenant NOLOGIN;
        END IF;
    EXCEPTION
        -- Roles belong to the whole cluster: another database may have made it at this very moment.
        WHEN duplicate_object OR unique_violation THEN NULL;
    END;
    IF NOT pg_has_role(current_user, 'offhook_tenant', needed) THEN
        EXECUTE format('GRANT offhook_tenant TO %I', current_user);
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO offhook_tenant', current_schema());
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING
            MESSAGE = SQLERRM,
            HINT = format(
                'Let a superuser run: CREATE ROLE offhook_tenant NOLOGIN; GRANT offhook_tenant TO %I', current_user
            );
END
$$;

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL,
    name text NOT NULL,
    password_hash text,
    failures integer NOT NULL DEFAULT 0,
    locked_until timestamptz,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX users_email ON users (lower(email));

COMMENT ON COLUMN users.password_hash IS 'argon2id; null for who signs in elsewhere.';
COMMENT ON COLUMN users.failures IS 'Wrong passwords in a row.';
COMMENT ON COLUMN users.locked_until IS 'No password is looked at before.';

CREATE TABLE memberships (
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('admin', 'client', 'support')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, user_id)
);

CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    end_reason text CHECK (end_reason IN ('signed_out', 'password_changed', 'token_replayed')),
    FOREIGN KEY (account_id, user_id) REFERENCES memberships (account_id, user_id) ON DELETE CASCADE,
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

CREATE INDEX sessions_user ON sessions (user_id) WHERE ended_at IS NULL;

COMMENT ON TABLE sessions IS 'One sign-in each, with all the refresh tokens that follow from it.';

CREATE TABLE refresh_tokens (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    issued_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

COMMENT ON COLUMN refresh_tokens.hash IS 'SHA-256 of the token, which is random and kept nowhere.';
COMMENT ON COLUMN refresh_tokens.used_at IS 'It was traded for the next one; seen again, it was stolen.';

ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE transcripts ENABLE ROW LEVEL SECURITY;
ALTER TABLE events ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON accounts TO offhook_tenant USING (id = current_setting('offhook.account')::uuid);
-- Whom the policy below shows of the memberships.
CREATE POLICY tenant ON users TO offhook_tenant USING (EXISTS (SELECT FROM memberships WHERE user_id = users.id));
CREATE POLICY tenant ON memberships TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON sessions TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON calls TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON turns TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON transcripts TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON events TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);

GRANT SELECT ON accounts TO offhook_tenant;
GRANT SELECT (id, email, name, disabled_at, created_at) ON users TO offhook_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, sessions, calls, turns, transcripts, events TO offhook_tenant;
