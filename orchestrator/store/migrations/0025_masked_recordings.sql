-- What is masked in the words of a call may be silenced in its recording, in new objects that take the place of the old.

ALTER TABLE privacy_policies ADD COLUMN mask_recordings boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN privacy_policies.mask_recordings IS 'What is masked in the words of a call is silenced in its recording.';

ALTER TABLE recordings ADD COLUMN masked boolean NOT NULL DEFAULT false;
ALTER TABLE recordings ADD COLUMN edition uuid;
COMMENT ON COLUMN recordings.masked IS 'What is personal is silenced in it; nobody hears it before that is done.';
COMMENT ON COLUMN recordings.edition IS 'Which of its objects are played; null: those that came while the call ran.';
