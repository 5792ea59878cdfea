"""What the agent says: its definition, its prompt, its approved answers, its sentences."""
