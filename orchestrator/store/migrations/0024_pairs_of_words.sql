-- no-transaction
-- Words side by side are found at once: the index knows which words are neighbours, not only which a call has.

-- As numbers, many pairs to one: words as text would take three times the room, and who looks for words side by side
-- compares what is found with the words themselves. Dear, for PostgreSQL not to make them anew of each call of an account.
CREATE OR REPLACE FUNCTION pairs_of(words tsvector) RETURNS int[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
BEGIN
    RETURN (
        WITH spoken AS MATERIALIZED (
            SELECT lexeme, place FROM unnest(words) AS word (lexeme, places, weights), unnest(places) AS place
        )
        SELECT array_agg(hashtext(first.lexeme || ' ' || second.lexeme) & 1048575)
        FROM spoken AS first JOIN spoken AS second ON second.place = first.place + 1
    ); END
$$;

-- What an interrupted try has left.
DROP INDEX CONCURRENTLY IF EXISTS calls_said;

-- Not in a column: no row is written anew, and whatever fills or empties the words fills or empties their pairs.
CREATE INDEX CONCURRENTLY calls_said
    ON calls USING gin (account_id, agent, ((started_at AT TIME ZONE 'UTC')::date), words, pairs_of(words))
    WITH (fastupdate = off);

DROP INDEX CONCURRENTLY IF EXISTS calls_words;
