"""The prompt of a call: the agent's system message, then the conversation as it was heard."""

from __future__ import annotations

from datetime import timedelta

from orchestrator.core.acquaintance import Acquaintance
from orchestrator.core.agent import Agent
from orchestrator.core.ports import Message

_STYLE = (
    "You are on the phone: answer in one or two short spoken sentences, without lists, markup or emojis. "
    "If you do not know something, say so and offer that a colleague calls back."
)


# Characters, of what somebody wrote of a caller: prompts have their price.
_NOTES = 600
_SUMMARY = 300


def of_the_caller(known: Acquaintance) -> str:
    """What is known of whom the call is with, as the end of the system message."""
    parts = ["What is known by the caller's number, for you to use where it helps; do not read it out."]
    if known.name:
        parts.append(f"Name: {_line(known.name, _SUMMARY)}.")
    if known.language:
        parts.append(f"Language: {known.language}.")
    if known.notes:
        parts.append(f"Notes: {_line(known.notes, _NOTES)}")
    parts += [f"Earlier call, {_ago(call.ago)}: {_line(call.summary, _SUMMARY)}" for call in known.earlier]
    return " ".join(parts)


def _line(text: str, longest: int) -> str:
    """*text* on one line, no longer than that."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[:longest].rsplit(' ', 1)[0]} …"


def _ago(since: timedelta) -> str:
    match since.days:
        case 0:
            return "within the last day"
        case 1:
            return "a day ago"
        case days:
            return f"{days} days ago"


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
