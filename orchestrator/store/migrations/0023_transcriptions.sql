-- What the recording of a call says, beside what was heard while it went on: searched like it, and erased with it.

ALTER TABLE transcripts ADD COLUMN transcription text;
COMMENT ON COLUMN transcripts.transcription IS 'What the recording says the caller said; text is what was acted upon.';

CREATE OR REPLACE FUNCTION words_of(call uuid) RETURNS tsvector LANGUAGE sql STABLE AS $$
    -- A tsvector holds a megabyte; nobody says half of that in a call.
    SELECT to_tsvector(
        'offhook_words',
        left(
            coalesce(string_agg(concat_ws(E'\n', text, transcription), E'\n' ORDER BY start_at, speaker DESC), ''),
            500000
        )
    )
    FROM transcripts WHERE call_id = call
$$;
