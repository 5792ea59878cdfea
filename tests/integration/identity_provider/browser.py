"""What a person does in a browser at the provider: cookies, redirects, forms."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from tests.integration.identity_provider.process import CALLBACK


class Page(HTMLParser):
    """The form of a page, with what is in it already, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = said["action"]
        elif tag == "input":
            self.fields[said["name"]] = said.get("value", "")
        elif tag == "a":
            self.links.append(said["href"])


class Browser:
    """One person's, who stays signed in at the provider. It stops where it would leave the provider for Offhook."""

    def __init__(self) -> None:
        self.filled: list[str] = []
        self._client = httpx.AsyncClient(trust_env=False)

    async def __aenter__(self) -> Browser:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def visit(self, address: str, person: str, *, refuses: str | None = None) -> str:
        """Where the provider sends *person* back to. refuses: the prompt that they cancel, "login" or "consent"."""
        answer = await self._follow(await self._client.get(address))
        while not answer.has_redirect_location:
            assert answer.status_code == 200, answer.text
            page = Page(answer.text)
            self.filled.append(page.fields["prompt"])
            if page.fields["prompt"] == refuses:
                (away,) = [link for link in page.links if link.endswith("/abort")]
                answer = await self._client.get(urljoin(str(answer.url), away))
            else:
                typed = {"login": person, "password": "as-they-please"}
                fields = {name: typed.get(name, value) for name, value in page.fields.items()}
                answer = await self._client.post(urljoin(str(answer.url), page.action), data=fields)
            answer = await self._follow(answer)
        return answer.headers["location"]

    async def _follow(self, answer: httpx.Response) -> httpx.Response:
        while answer.has_redirect_location and not answer.headers["location"].startswith(CALLBACK):
            answer = await self._client.get(urljoin(str(answer.url), answer.headers["location"]))
        return answer
