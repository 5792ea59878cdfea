-- Agents: a draft that is edited freely, versions that never change, and the numbers that each answers.

CREATE TABLE agents (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name text NOT NULL,
    draft jsonb NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    published integer,
    imported jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (account_id, id),
    UNIQUE (account_id, name)
);

COMMENT ON COLUMN agents.revision IS 'Of the draft; who saves says which one they changed.';
COMMENT ON COLUMN agents.published IS 'The version that answers calls; null for none.';
COMMENT ON COLUMN agents.imported IS 'The file that it was last imported from, as it was read; null for none.';

CREATE TABLE agent_versions (
    agent_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    account_id uuid NOT NULL,
    definition jsonb NOT NULL,
    note text NOT NULL DEFAULT '',
    published_by uuid REFERENCES users (id) ON DELETE SET NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (agent_id, number),
    FOREIGN KEY (account_id, agent_id) REFERENCES agents (account_id, id) ON DELETE CASCADE
);

COMMENT ON TABLE agent_versions IS 'What was published. A version never changes: calls say which one they had.';
COMMENT ON COLUMN agent_versions.published_by IS 'Null for an import, a key and the machine''s operator.';

ALTER TABLE agents ADD FOREIGN KEY (id, published) REFERENCES agent_versions (agent_id, number);

CREATE TABLE numbers (
    number text PRIMARY KEY,
    account_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    shown text NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (account_id, agent_id) REFERENCES agents (account_id, id) ON DELETE CASCADE
);

CREATE INDEX numbers_agent ON numbers (agent_id);

COMMENT ON COLUMN numbers.number IS 'As calls are routed: digits alone, or a name in small letters. One agent answers it, whoever''s.';
COMMENT ON COLUMN numbers.shown IS 'As it was written.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Only that its publisher is gone may be noted.
    IF to_jsonb(NEW) - 'published_by' IS DISTINCT FROM to_jsonb(OLD) - 'published_by' THEN
        RAISE EXCEPTION 'a published version never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER never_changes BEFORE UPDATE ON agent_versions FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION tell_routes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('offhook_agents', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_published AFTER UPDATE OF published, name ON agents FOR EACH STATEMENT EXECUTE FUNCTION tell_routes();
CREATE TRIGGER tell_deleted AFTER DELETE ON agents FOR EACH STATEMENT EXECUTE FUNCTION tell_routes();
CREATE TRIGGER tell_numbers AFTER INSERT OR UPDATE OR DELETE ON numbers FOR EACH STATEMENT EXECUTE FUNCTION tell_routes();

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE numbers ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON agents TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON agent_versions TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON numbers TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON agents, numbers TO offhook_tenant;
GRANT SELECT, INSERT ON agent_versions TO offhook_tenant;
