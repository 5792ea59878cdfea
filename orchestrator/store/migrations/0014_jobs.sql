-- Work behind the calls. The rows of jobs say what there is to do and what came of it; the queue carries their ids to
-- the workers, at least once, and keeps nothing else.

CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id uuid NOT NULL REFERENCES accounts (id),
    kind text NOT NULL,
    key text,
    call_id uuid,
    payload jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempts integer NOT NULL DEFAULT 0,
    run integer NOT NULL DEFAULT 0,
    lost integer NOT NULL DEFAULT 0,
    error text,
    result jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    FOREIGN KEY (account_id, call_id) REFERENCES calls (account_id, id) ON DELETE CASCADE,
    CHECK ((finished_at IS NULL) = (state IN ('queued', 'running')))
);

CREATE INDEX jobs_recent ON jobs (account_id, created_at DESC, id DESC);
CREATE INDEX jobs_call ON jobs (account_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX jobs_unfinished ON jobs (account_id, kind, key) WHERE state IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

COMMENT ON COLUMN jobs.key IS 'What it is about, where one waiting job of a kind is enough: a day for rollup.';
COMMENT ON COLUMN jobs.payload IS 'What the kind needs to know: ids and numbers, never what a caller said.';
COMMENT ON COLUMN jobs.attempts IS 'Tries since it was queued, or since somebody asked for another, that failed or may yet.';
COMMENT ON COLUMN jobs.run IS 'Counts every try, so that only the latest of them can write its outcome.';
COMMENT ON COLUMN jobs.lost IS 'Tries whose worker was never heard of again; they are no attempts.';
COMMENT ON COLUMN jobs.error IS 'Why the latest try failed: a code.';
COMMENT ON COLUMN jobs.due_at IS 'Not tried before.';
COMMENT ON COLUMN jobs.result IS 'What came of it, in figures and ids.';

-- Lets whoever may write a job queue it in the same transaction, without a right to the queue itself. What is queued
-- already is queued anew; a job that is not to be run any more is left alone by the worker that gets its id.
CREATE FUNCTION queue_job(job uuid, kind text, delay interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    INSERT INTO pgqueuer (priority, entrypoint, dedupe_key, payload, execute_after, status)
    VALUES (0, kind, job::text, convert_to(job::text, 'UTF8'), now() + delay, 'queued')
    ON CONFLICT (dedupe_key)
        WHERE status = ANY (ARRAY['queued'::pgqueuer_status, 'picked'::pgqueuer_status]) AND dedupe_key IS NOT NULL
        DO UPDATE SET execute_after = excluded.execute_after WHERE pgqueuer.status = 'queued'
$$;

REVOKE EXECUTE ON FUNCTION queue_job FROM PUBLIC;
GRANT EXECUTE ON FUNCTION queue_job TO offhook_tenant;

ALTER TABLE calls ADD COLUMN summary text, ADD COLUMN sentiment double precision;
ALTER TABLE turns ADD COLUMN sentiment double precision;

COMMENT ON COLUMN calls.summary IS 'What the call was about, by the language model.';
COMMENT ON COLUMN calls.sentiment IS 'Mean of the caller''s turns, from -1 (negative) to 1 (positive).';
COMMENT ON COLUMN turns.sentiment IS 'Of what the caller said, from -1 (negative) to 1 (positive).';

CREATE TABLE call_days (
    account_id uuid NOT NULL REFERENCES accounts (id),
    day date NOT NULL,
    agent text NOT NULL,
    calls integer NOT NULL,
    seconds double precision NOT NULL,
    turns integer NOT NULL,
    answered integer NOT NULL,
    latency_p50 double precision,
    latency_p95 double precision,
    latency_p99 double precision,
    sentiment double precision,
    PRIMARY KEY (account_id, day, agent)
);

COMMENT ON TABLE call_days IS 'The ended calls of each agent that started on a day (UTC), counted anew by each rollup.';
COMMENT ON COLUMN call_days.seconds IS 'Length of all calls together.';
COMMENT ON COLUMN call_days.answered IS 'Turns whose latency is known.';
COMMENT ON COLUMN call_days.latency_p50 IS 'Seconds from the end of the caller''s speech to the reply on the wire.';
COMMENT ON COLUMN call_days.sentiment IS 'Mean over the calls whose sentiment is known.';

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_days ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant ON jobs TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);
CREATE POLICY tenant ON call_days TO offhook_tenant USING (account_id = current_setting('offhook.account')::uuid);

GRANT SELECT, INSERT, UPDATE, DELETE ON jobs, call_days TO offhook_tenant;
