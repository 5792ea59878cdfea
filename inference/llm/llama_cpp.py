"""Chat models on the CPU: llama.cpp in this process, reached over a UNIX socket that only this user can open."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from inference.llm.chat import Chunk, Reply, chunks, message_json, tools_json
from inference.llm.slots import Slots
from inference.llm.utterance_end import CANDIDATES, SAMPLE, before_the_end, end_probability
from inference.manifest import Manifest
from orchestrator.core.errors import BadOutput, ConfigError, EngineError, EngineOverloaded, EngineUnavailable
from orchestrator.core.ports import Message, TextDelta, Tool, ToolCall

if TYPE_CHECKING:
    import xllamacpp


class Options(BaseModel):
    """What a manifest may set.

    context: tokens, shared by all slots; slots: conversations whose prompts stay cached; batch: tokens read at once,
    and so how long one call's prompt can hold up the others; queue: requests that may wait for a slot;
    generation_threads: threads that write the reply, the profile's number when absent (for a model of this size one is
    as fast as two, and does not stumble over a busy core); requantise: format to convert Q4_1 weights to, once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: int = Field(default=4096, ge=256)
    slots: int = Field(default=4, ge=1)
    batch: int = Field(default=64, ge=32)
    queue: int = Field(default=8, ge=0)
    generation_threads: int | None = Field(default=None, ge=1)
    requantise: Literal["Q4_0"] | None = None
    temperature: float = Field(default=0.0, ge=0.0)
    top_p: float = Field(default=0.95, gt=0.0, le=1.0)
    repeat_penalty: float = Field(default=1.0, gt=0.0)
    seed: int | None = None
    stop: tuple[str, ...] = ()


class LlamaCpp:
    """A language model on llama.cpp. The chat template is the model file's own.

    Each conversation is pinned to one slot, so that its next turn reads only what is new. Closing a reply's iterator
    closes its connection, on which llama.cpp stops generating within a token or two.
    """

    def __init__(self, name: str, weights: Path, options: Options, threads: int) -> None:
        self.name = name
        self._options = options
        self._slots = Slots(options.slots)
        self._template: str | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="offhook-llm-")  # mode 0700
        socket = str(Path(self._folder.name) / "llama.sock")
        self._server: xllamacpp.Server | None = _serve(name, weights, options, threads, socket)
        # llama.cpp closes idle connections on its own; a fresh one costs less than finding that out.
        transport = httpx.AsyncHTTPTransport(uds=socket, limits=httpx.Limits(max_keepalive_connections=0))
        # How long a reply may take is for the caller to say.
        no_limit = httpx.Timeout(None)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://llama", timeout=no_limit, trust_env=False)

    async def complete(
        self, messages: Sequence[Message], *, tools: Sequence[Tool] = (), conversation: str = "", max_tokens: int = 160
    ) -> AsyncGenerator[TextDelta | ToolCall, None]:
        """The reply as it is generated; see LanguageModel.

        Raises EngineOverloaded when too many requests wait already, and EngineError when the prompt does not fit.
        """
        reply = Reply(self.name)
        request = self._request(messages, max_tokens) | ({"tools": tools_json(tools)} if tools else {})
        async with aclosing(self._chunks(request, conversation)) as pieces:
            async for chunk in pieces:
                for delta in reply.text_of(chunk):
                    yield delta
        for call in reply.tool_calls():
            yield call

    async def prefill(self, messages: Sequence[Message], *, conversation: str = "") -> None:
        """Read *messages* into the conversation's slot."""
        async with aclosing(self._chunks(self._request(messages, max_tokens=0), conversation)) as pieces:
            async for _ in pieces:
                pass

    async def end_of_utterance(self, text: str) -> float:
        """Probability in [0, 1] that a message which begins with *text* ends there. It takes one token."""
        request = {
            "prompt": before_the_end(await self._sample_prompt(), text),
            "n_predict": 1,
            "n_probs": CANDIDATES,
            "temperature": 0.0,
            # Its probability is told all the same; without this, a message that ends has no token to tell it with.
            "ignore_eos": True,
            "cache_prompt": True,
            "id_slot": self._options.slots,
        }
        answer = await self._posted("/completion", request)
        try:
            (token,) = answer["completion_probabilities"]
            return end_probability((one["token"], one["logprob"]) for one in token["top_logprobs"])
        except (KeyError, ValueError) as error:
            raise BadOutput(self.name, "no probabilities") from error

    async def _sample_prompt(self) -> str:
        if self._template is None:
            answer = await self._posted("/apply-template", {"messages": [message_json(Message("user", SAMPLE))]})
            if not isinstance(template := answer.get("prompt"), str):
                raise BadOutput(self.name, "no prompt from the template")
            self._template = template
        return self._template

    async def warm(self) -> None:
        """Generate one token, so that the first caller does not wait for weights to come from disk."""
        await self.prefill([Message("user", SAMPLE)])
        await self.end_of_utterance(SAMPLE)

    async def close(self) -> None:
        """Stop the server and free its memory; requests that come later raise EngineUnavailable."""
        self._server = None
        await self._http.aclose()
        self._folder.cleanup()

    def _request(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        options = self._options
        request: dict[str, Any] = {
            "messages": [message_json(message) for message in messages],
            "max_tokens": max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "repeat_penalty": options.repeat_penalty,
            "stop": list(options.stop),
            "stream": True,
            "cache_prompt": True,
        }
        return request if options.seed is None else request | {"seed": options.seed}

    async def _chunks(self, request: dict[str, Any], conversation: str) -> AsyncGenerator[Chunk, None]:
        if self._slots.requests >= self._options.slots + self._options.queue:
            raise EngineOverloaded(self.name, f"{self._slots.requests} requests are under way or waiting")
        with self._slots.held(conversation) as slot:
            async with (
                self._streamed(request | {"id_slot": slot}) as response,
                aclosing(chunks(response.aiter_lines(), self.name)) as pieces,
            ):
                async for chunk in pieces:
                    yield chunk

    @asynccontextmanager
    async def _streamed(self, request: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        with self._reached():
            async with self._http.stream("POST", "/v1/chat/completions", json=request) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise EngineError(self.name, _complaint(response))
                yield response

    async def _posted(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        with self._reached():
            response = await self._http.post(path, json=request)
        if response.status_code != httpx.codes.OK:
            raise EngineError(self.name, _complaint(response))
        try:
            answer: dict[str, Any] = response.json()
        except ValueError as error:
            raise BadOutput(self.name, "an answer that is no JSON") from error
        return answer

    @contextmanager
    def _reached(self) -> Iterator[None]:
        if self._server is None:
            raise EngineUnavailable(self.name, "llama.cpp has been stopped")
        try:
            yield
        except httpx.TransportError as error:
            raise EngineUnavailable(self.name, f"llama.cpp does not answer: {error}") from error


def load(manifest: Manifest, files: Path, threads: int) -> LlamaCpp:
    """The engine of *manifest*, ready to answer. Raises ConfigError when its file cannot be loaded."""
    options = manifest.options_as(Options)
    weights = _weights(manifest, files)
    prepared = _prepared(weights, options)
    return LlamaCpp(manifest.name, prepared if prepared and prepared.is_file() else weights, options, threads)


def prepare(manifest: Manifest, files: Path) -> None:
    """Convert the weights once after the pull, if the manifest asks for it."""
    weights = _weights(manifest, files)
    prepared = _prepared(weights, manifest.options_as(Options))
    if prepared and not prepared.is_file():
        # Only a pull needs the gguf package.
        from inference.llm.requantise import requantise  # noqa: PLC0415

        requantise(weights, prepared)


def _weights(manifest: Manifest, files: Path) -> Path:
    names = [name for name in manifest.files if name.endswith(".gguf")]
    if len(names) != 1:
        raise ConfigError(f"model {manifest.name!r}: files: must list one .gguf file, not {len(names)}")
    return files / names[0]


def _prepared(weights: Path, options: Options) -> Path | None:
    return weights.with_suffix(f".{options.requantise}.gguf") if options.requantise else None


def _serve(name: str, weights: Path, options: Options, threads: int, socket: str) -> xllamacpp.Server:
    # libgomp reads this when it is loaded. Its threads otherwise spin while they wait for each other: two of them on
    # two cores, one of which was busy, wrote 25 tokens a second instead of 45, and at times one.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp  # noqa: PLC0415 - heavy

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.hostnames = [socket]
    params.n_ctx = options.context
    # One more slot than conversations: the ends of utterances are told in it, and evict nobody's prompt.
    params.n_parallel = options.slots + 1
    params.kv_unified = True
    # An idle slot keeps its prompt in place: saving and restoring it costs more than the pinning needs.
    params.cache_idle_slots = False
    params.cache_ram_mib = 0
    params.n_ctx_checkpoints = 0
    params.n_batch = params.n_ubatch = options.batch
    params.cpuparams_batch.n_threads = threads
    params.cpuparams.n_threads = options.generation_threads or threads
    params.fit_params = False
    params.ui = False
    params.verbosity = -1
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ConfigError(f"model {name!r}: llama.cpp cannot load {weights}: {error}") from error


def _complaint(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"llama.cpp answered {response.status_code}"
