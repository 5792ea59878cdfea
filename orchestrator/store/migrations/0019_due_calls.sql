-- What has yet to be erased of calls that are kept, the oldest first, without reading through what has been.

CREATE INDEX calls_with_words ON calls (account_id, ended_at)
    WHERE ended_at IS NOT NULL AND transcript_erased_at IS NULL;
CREATE INDEX calls_with_events ON calls (account_id, ended_at)
    WHERE ended_at IS NOT NULL AND events_erased_at IS NULL;
