"""Chat models on GPUs: vLLM's own asynchronous engine, which batches and caches prefixes by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from inference.llm.chat import message_json, tools_json
from inference.llm.tool_calls import ToolCallReader
from inference.llm.utterance_end import CANDIDATES, SAMPLE, before_the_end, end_probability
from inference.manifest import Manifest
from orchestrator.core.errors import BadOutput, ConfigError, EngineError, EngineOverloaded, EngineUnavailable
from orchestrator.core.ports import Message, TextDelta, Tool, ToolCall

if TYPE_CHECKING:
    from vllm import RequestOutput, SamplingParams, TokensPrompt
    from vllm.logprobs import Logprob
    from vllm.v1.engine.async_llm import AsyncLLM


class Options(BaseModel):
    """What a manifest may set.

    context: tokens of prompt and reply; requests: how many at once before more are refused; gpu_memory: share of a
    GPU's memory that vLLM may take; tensor_parallel: GPUs that share the model; eager: without CUDA graphs, for a quick
    start; block: tokens in a block of the cache, vLLM's choice when absent; cpu_cache_gb: memory of the cache where
    there is no GPU.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: int = Field(default=8192, ge=256)
    requests: int = Field(default=64, ge=1)
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    gpu_memory: float = Field(default=0.9, gt=0.0, le=1.0)
    tensor_parallel: int = Field(default=1, ge=1)
    eager: bool = False
    block: int | None = Field(default=None, ge=8)
    cpu_cache_gb: int = Field(default=4, ge=1)
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    repeat_penalty: float = Field(default=1.0, gt=0.0)
    seed: int | None = None
    stop: tuple[str, ...] = ()


class VllmLanguageModel:
    """A language model on vLLM. The chat template is the tokenizer's own. Closing a reply aborts its request."""

    def __init__(self, name: str, engine: AsyncLLM, options: Options) -> None:
        self.name = name
        self._engine = engine
        self._tokenizer: Any = engine.get_tokenizer()
        self._options = options
        self._under_way = 0

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """The reply as it is generated; see LanguageModel. The cache goes by content, so *conversation* is not used.

        Raises EngineOverloaded when too many requests are under way, and EngineError when the prompt does not fit.
        """
        reader = ToolCallReader(tools)
        async with aclosing(self._texts(self._prompt(messages, tools), max_tokens)) as texts:
            async for text in texts:
                for delta in reader.feed(text):
                    yield delta
        for rest in reader.finish():
            yield rest

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        """Read *messages* into the prefix cache."""
        async with aclosing(self._texts(self._prompt(messages, ()), max_tokens=1)) as texts:
            async for _ in texts:
                pass

    async def end_of_utterance(self, text: str) -> float:
        """Probability in [0, 1] that a message which begins with *text* ends there. It takes one token."""
        sample = [message_json(Message("user", SAMPLE))]
        template = self._tokenizer.apply_chat_template(sample, add_generation_prompt=True, tokenize=False)
        prompt = self._tokens(before_the_end(template, text))
        async with aclosing(self._outputs(prompt, self._sampling(1, logprobs=CANDIDATES))) as outputs:
            async for output in outputs:
                for chances in output.outputs[0].logprobs or ():
                    return end_probability(self._candidates(chances))
        raise BadOutput(self.name, "no probabilities")

    async def warm(self) -> None:
        """Generate one token, and one with probabilities: on a CPU vLLM compiles for seconds before the first."""
        await self.prefill([Message("user", SAMPLE)])
        await self.end_of_utterance(SAMPLE)

    async def check(self) -> None:
        """Raises EngineUnavailable when vLLM's worker process is gone for good."""
        if self._engine.errored:
            raise EngineUnavailable(self.name, "vLLM's engine is dead")

    async def close(self) -> None:
        """Stop vLLM's processes and free the GPU."""
        await asyncio.to_thread(self._engine.shutdown)

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> TokensPrompt:
        text = self._tokenizer.apply_chat_template(
            [message_json(message) for message in messages],
            tools=tools_json(tools) or None,
            add_generation_prompt=True,
            tokenize=False,
        )
        return self._tokens(text)

    def _tokens(self, text: str) -> TokensPrompt:
        # The template has written the special tokens already.
        return {"prompt_token_ids": self._tokenizer(text, add_special_tokens=False).input_ids}

    def _candidates(self, chances: Mapping[int, Logprob]) -> Iterator[tuple[str, float]]:
        special = set(self._tokenizer.all_special_ids)
        for token, chance in chances.items():
            yield "" if token in special else chance.decoded_token or " ", chance.logprob

    async def _texts(self, prompt: TokensPrompt, max_tokens: int) -> AsyncGenerator[str, None]:
        async with aclosing(self._outputs(prompt, self._sampling(max_tokens))) as outputs:
            async for output in outputs:
                if text := output.outputs[0].text:
                    yield text

    async def _outputs(self, prompt: TokensPrompt, sampling: SamplingParams) -> AsyncGenerator[RequestOutput, None]:
        from vllm.exceptions import VLLMClientError  # noqa: PLC0415 - heavy
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError  # noqa: PLC0415 - heavy

        if self._under_way >= self._options.requests:
            raise EngineOverloaded(self.name, f"{self._under_way} requests are under way")
        self._under_way += 1
        try:
            async with aclosing(self._engine.generate(prompt, sampling, uuid4().hex)) as outputs:
                async for output in outputs:
                    yield output
        except EngineDeadError as error:
            raise EngineUnavailable(self.name, "vLLM's engine is dead") from error
        except (EngineGenerateError, VLLMClientError, ValueError) as error:
            raise EngineError(self.name, str(error)) from error
        finally:
            self._under_way -= 1

    def _sampling(self, max_tokens: int, logprobs: int | None = None) -> SamplingParams:
        from vllm import SamplingParams  # noqa: PLC0415 - heavy
        from vllm.sampling_params import RequestOutputKind  # noqa: PLC0415 - heavy

        options = self._options
        return SamplingParams(
            max_tokens=max_tokens,
            logprobs=logprobs,
            temperature=options.temperature,
            top_p=options.top_p,
            repetition_penalty=options.repeat_penalty,
            seed=options.seed,
            stop=list(options.stop),
            output_kind=RequestOutputKind.DELTA,
        )


def load(manifest: Manifest, files: Path, threads: int) -> VllmLanguageModel:
    """The engine of *manifest*, ready to answer. Raises ConfigError when vLLM refuses the model or the options."""
    options = manifest.options_as(Options)
    # vLLM reads these when it starts; they mean nothing where there is a GPU.
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = str(options.cpu_cache_gb)
    os.environ["VLLM_CPU_OMP_THREADS_BIND"] = "nobind"
    os.environ["OMP_NUM_THREADS"] = str(threads)
    from vllm import AsyncEngineArgs  # noqa: PLC0415 - heavy
    from vllm.v1.engine.async_llm import AsyncLLM  # noqa: PLC0415 - heavy

    arguments = AsyncEngineArgs(
        model=str(files),
        served_model_name=manifest.name,
        dtype=options.dtype,
        max_model_len=options.context,
        max_num_seqs=options.requests,
        gpu_memory_utilization=options.gpu_memory,
        tensor_parallel_size=options.tensor_parallel,
        enforce_eager=options.eager,
        enable_prefix_caching=True,
        disable_log_stats=True,
        block_size=options.block,
        max_logprobs=CANDIDATES,
    )
    try:
        return VllmLanguageModel(manifest.name, AsyncLLM.from_engine_args(arguments), options)
    except (ValueError, OSError) as error:
        raise ConfigError(f"model {manifest.name!r}: vLLM cannot load {files}: {error}") from error
