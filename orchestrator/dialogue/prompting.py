"""The prompt of a call: the agent's system message, then the conversation as it was heard."""

from __future__ import annotations

from orchestrator.core.agent import Agent
from orchestrator.core.ports import Message

_STYLE = (
    "You are on the phone: answer in one or two short spoken sentences, without lists, markup or emojis. "
    "If you do not know something, say so and offer that a colleague calls back."
)


def system_message(agent: Agent) -> Message:
    """Who the agent is, what it talks about and what it knows for certain."""
    parts = [agent.persona.strip(), _STYLE]
    if agent.subject:
        parts.append(
            f"You only talk about {agent.subject.strip()}. If asked about anything else, politely lead back to it."
        )
    if agent.answers:
        facts = " ".join(answer.answer for answer in agent.answers)
        parts.append(f"Facts: {facts}")
    return Message("system", " ".join(parts))
