"""What every chat model promises, whatever runs it. A test class takes these cases by inheriting them."""

from __future__ import annotations

import asyncio
import time

import pytest

from orchestrator.core.errors import EngineError
from orchestrator.core.ports import LanguageModel, Message, TextDelta
from orchestrator.core.streams import closing


def rules(subject: str) -> list[Message]:
    """A system prompt of some 300 tokens that shares none of its beginning with that of another *subject*."""
    text = " ".join(f"The {subject} rule {index}: be polite and answer briefly." for index in range(22))
    return [Message("system", text)]


async def first_token(llm: LanguageModel, messages: list[Message], conversation: str = "") -> float:
    """Seconds to the first piece of the reply."""
    asked = time.perf_counter()
    async with closing(llm.complete(messages, conversation=conversation, max_tokens=4)) as reply:
        async for _ in reply:
            break
    return time.perf_counter() - asked


class LanguageModelCases:
    """Needs a fixture `llm`, a LanguageModel with a context of no more than 4,096 tokens."""

    async def test_a_reply_comes_in_pieces_of_text(self, llm: LanguageModel) -> None:
        reply = [delta async for delta in llm.complete([Message("user", "Say hello to me.")], max_tokens=12)]
        assert len(reply) > 1
        assert all(isinstance(delta, TextDelta) and delta.text for delta in reply)

    async def test_a_reply_has_no_more_than_max_tokens(self, llm: LanguageModel) -> None:
        request = [Message("user", "Tell me a very long story.")]
        assert 1 <= len([delta async for delta in llm.complete(request, max_tokens=5)]) <= 5

    async def test_closing_a_reply_frees_the_model_for_the_next_one(self, llm: LanguageModel) -> None:
        request = [Message("user", "Tell me a very long story.")]
        await first_token(llm, request, "closed")
        async with closing(llm.complete(request, conversation="closed", max_tokens=1000)) as reply:
            async for _ in reply:
                break
        assert await first_token(llm, request, "closed") < 2.0

    async def test_a_prefilled_conversation_starts_sooner(self, llm: LanguageModel) -> None:
        question = Message("user", "What is the first rule?")
        cold = await first_token(llm, [*rules("cold"), question], "cold")
        await llm.prefill(rules("warm"), conversation="warm")
        assert await first_token(llm, [*rules("warm"), question], "warm") < 0.6 * cold

    async def test_a_whole_sentence_is_more_likely_to_have_ended(self, llm: LanguageModel) -> None:
        for begun, whole in (
            ("I would like to book", "I would like to book a table for tonight."),
            ("Please send the", "Please send the invoice."),
            ("I have been waiting for", "I have been waiting for more than an hour."),
        ):
            assert 0.0 <= await llm.end_of_utterance(begun) < await llm.end_of_utterance(whole) <= 1.0

    async def test_a_recognisers_mark_makes_no_sentence_whole(self, llm: LanguageModel) -> None:
        assert await llm.end_of_utterance("I would like to.") == await llm.end_of_utterance("I would like to")

    async def test_telling_the_end_leaves_a_prefilled_conversation_warm(self, llm: LanguageModel) -> None:
        question = Message("user", "What is the first rule?")
        cold = await first_token(llm, [*rules("chilly"), question], "chilly")
        await llm.prefill(rules("tepid"), conversation="tepid")
        await llm.end_of_utterance("I would like to")
        assert await first_token(llm, [*rules("tepid"), question], "tepid") < 0.6 * cold

    async def test_more_conversations_than_slots_all_get_an_answer(self, llm: LanguageModel) -> None:
        async def ask(index: int) -> int:
            request = [Message("user", f"Count from {index}.")]
            return len([delta async for delta in llm.complete(request, conversation=str(index), max_tokens=6)])

        assert all(await asyncio.gather(*(ask(index) for index in range(6))))

    async def test_a_prompt_that_does_not_fit_is_an_error_that_names_the_model(self, llm: LanguageModel) -> None:
        with pytest.raises(EngineError, match="smollm2"):
            async for _ in llm.complete([Message("user", "word " * 9000)]):
                pass
