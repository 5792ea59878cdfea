-- How the calls of a day went.

ALTER TABLE call_days
    ADD COLUMN unanswered integer NOT NULL DEFAULT 0,
    ADD COLUMN failed integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN call_days.unanswered IS 'Calls that we placed and nobody took.';
COMMENT ON COLUMN call_days.failed IS 'Calls that ended for a fault: of an engine, of the line, of ours.';
