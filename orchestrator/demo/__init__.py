"""What a fresh install can show: an agent, and the questions of a first call."""

from __future__ import annotations

from pathlib import Path

DEMO_AGENTS = Path(__file__).parent / "agents"

# The second and the last are answered by the language model, the others by approved answers.
DEMO_QUESTIONS = (
    "Where are you located?",
    "I am a little afraid of the dentist. What can you do for me?",
    "How much does a cleaning cost?",
    "Do you have any advice for healthy teeth?",
)
