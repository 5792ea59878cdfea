-- Finding calls among a million, and following what changes as it changes.

CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- Names and numbers are not words of one language: no stemming, and é is found by e.
CREATE TEXT SEARCH CONFIGURATION offhook_words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION offhook_words ALTER MAPPING FOR hword, hword_part, word WITH unaccent, simple;

ALTER TABLE calls ADD COLUMN words tsvector;
COMMENT ON COLUMN calls.words IS 'The words of the transcript, once the call has ended; searched, never shown.';

CREATE FUNCTION words_of(call uuid) RETURNS tsvector LANGUAGE sql STABLE AS $$
    -- A tsvector holds a megabyte; nobody says half of that in a call.
    SELECT to_tsvector('offhook_words', left(coalesce(string_agg(text, E'\n' ORDER BY start_at, speaker DESC), ''), 500000))
    FROM transcripts WHERE call_id = call
$$;

UPDATE calls SET words = words_of(id) WHERE ended_at IS NOT NULL;

CREATE INDEX calls_words ON calls USING gin (account_id, words) WITH (fastupdate = off);
CREATE INDEX calls_by_caller ON calls (account_id, caller, started_at DESC, id DESC);
CREATE INDEX calls_by_callee ON calls (account_id, callee, started_at DESC, id DESC);
CREATE INDEX calls_by_agent ON calls (account_id, agent, started_at DESC, id DESC);
CREATE INDEX calls_by_reason ON calls (account_id, end_reason, started_at DESC, id DESC);

-- What changed later has a higher position: a client that has seen one asks for what lies above it. Writers of one
-- account take turns from their first row to their commit, so that no lower position appears after a higher one.
CREATE SEQUENCE positions;

CREATE FUNCTION take_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7214002, hashtext(NEW.account_id::text));
    NEW.position := nextval('positions');
    RETURN NEW;
END
$$;

-- Whoever listens looks for what is new in the account.
CREATE FUNCTION tell_account() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    account uuid;
BEGIN
    FOR account IN SELECT DISTINCT account_id FROM changed LOOP
        PERFORM pg_notify('offhook_live', account::text);
    END LOOP;
    RETURN NULL;
END
$$;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['calls', 'turns', 'transcripts', 'events'] LOOP
        EXECUTE format('ALTER TABLE %I ADD COLUMN position bigint NOT NULL DEFAULT 0', name);
        EXECUTE format('COMMENT ON COLUMN %I.position IS ''Of its latest change among all of the account.''', name);
        EXECUTE format('CREATE INDEX %I ON %I (account_id, position)', name || '_position', name);
        EXECUTE format(
            'CREATE TRIGGER take_position BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION take_position()', name
        );
        EXECUTE format(
            'CREATE TRIGGER tell_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS changed
             FOR EACH STATEMENT EXECUTE FUNCTION tell_account()', name
        );
        EXECUTE format(
            'CREATE TRIGGER tell_update AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed
             FOR EACH STATEMENT EXECUTE FUNCTION tell_account()', name
        );
    END LOOP;
END
$$;

GRANT USAGE ON SEQUENCE positions TO offhook_tenant;
