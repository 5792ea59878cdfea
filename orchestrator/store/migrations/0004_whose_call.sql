-- Which agent answered, beside the name that it had.

ALTER TABLE calls ADD COLUMN agent_id uuid, ADD COLUMN agent_version integer;
COMMENT ON COLUMN calls.agent_version IS 'The version of the agent that the call began with, and kept.';
