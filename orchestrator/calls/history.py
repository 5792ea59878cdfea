"""The conversation as both sides know it: only what was really heard."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.ports import Message

# Turns beyond these are dropped from the prompt, oldest first: a short context keeps the first token near.
KEPT_MESSAGES = 12


class History:
    """The messages of one call, after a system message."""

    def __init__(self, system: Message) -> None:
        self._system = system
        self._messages: list[Message] = []

    def know(self, text: str) -> None:
        """Let *text* be known from now on, behind what is the same in every call of the agent's."""
        self._system = Message(self._system.role, f"{self._system.content} {text}")

    def heard(self, text: str) -> None:
        """The caller heard the agent say *text*; an empty text leaves no trace."""
        if text:
            self._add(Message("assistant", text))

    def said(self, text: str) -> None:
        """The caller said *text*."""
        self._add(Message("user", text))

    def _add(self, message: Message) -> None:
        """Chat templates want the roles to take turns: who speaks twice in a row has said one thing."""
        if self._messages and self._messages[-1].role == message.role:
            message = Message(message.role, f"{self._messages.pop().content} {message.content}")
        self._messages.append(message)

    def prompt(self) -> Sequence[Message]:
        """What the language model sees now."""
        recent = self._messages[-KEPT_MESSAGES:]
        while recent and recent[0].role == "assistant" and len(recent) == KEPT_MESSAGES:
            recent = recent[1:]
        return [self._system, *recent]
