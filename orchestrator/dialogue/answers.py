"""Approved answers: the question that a caller asked, found by meaning, answered word for word."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from orchestrator.core.agent import ApprovedAnswer
from orchestrator.core.ports import Embedder, Vectors

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


@dataclass(frozen=True, slots=True)
class Match:
    """An approved answer and how sure it is. similarity: cosine; margin: its lead over the next other answer."""

    answer: str
    similarity: float
    margin: float


@dataclass(frozen=True, slots=True)
class Certainty:
    """What a match must reach. Chosen on benchmarks/scenarios (MiniLM-L6): see docs/decisions."""

    similarity: float = 0.6
    margin: float = 0.08


class AnswerBook:
    """The approved answers of one agent, embedded once."""

    def __init__(
        self, embedder: Embedder, answers: tuple[ApprovedAnswer, ...], vectors: Vectors, owner: list[int]
    ) -> None:
        self._embedder = embedder
        self._answers = answers
        self._vectors = vectors
        self._owner = np.array(owner, dtype=np.intp)

    @classmethod
    async def open(cls, embedder: Embedder, answers: tuple[ApprovedAnswer, ...]) -> AnswerBook:
        """Embed every question of *answers*. Raises EngineError."""
        questions = [question for answer in answers for question in answer.questions]
        owner = [index for index, answer in enumerate(answers) for _ in answer.questions]
        vectors = await embedder.embed(questions) if questions else np.zeros((0, 1), dtype=np.float32)
        return cls(embedder, answers, vectors, owner)

    async def find(self, text: str, certainty: Certainty = Certainty()) -> tuple[Match, ...]:
        """The answers that must be given to *text*, in the order of its questions; none when none is clearly meant.

        Callers wrap questions in courtesies and ask two at once, so each sentence is tried; the whole decides when no
        sentence does. Raises EngineError.
        """
        if not self._answers:
            return ()
        whole = text.strip()
        parts = [part.strip() for part in _SENTENCE.findall(whole) if len(part.split()) > 2]
        candidates = list(dict.fromkeys([*parts, whole]))
        similarities = (await self._embedder.embed(candidates)) @ self._vectors.T
        matches = [self._match(row, certainty) for row in similarities]
        found = [match for match in matches[: len(parts)] if match is not None]
        if not found and matches[-1] is not None:
            found = [matches[-1]]
        distinct: dict[str, Match] = {}
        for match in found:
            distinct.setdefault(match.answer, match)
        return tuple(distinct.values())

    def _match(self, similarities: Vectors, certainty: Certainty) -> Match | None:
        """The answer that one candidate means. similarities: to every question, shape (questions,)."""
        best_of = np.full(len(self._answers), -1.0, dtype=np.float32)
        np.maximum.at(best_of, self._owner, similarities)
        order = np.argsort(best_of)[::-1]
        best = float(best_of[order[0]])
        margin = best - float(best_of[order[1]]) if len(order) > 1 else 1.0
        if best < certainty.similarity or margin < certainty.margin:
            return None
        return Match(self._answers[int(order[0])].answer, best, margin)
