"""A small HTTP server on loopback that knows ranges, redirects and how to break off."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """pages: body by path; redirects: path to (path, headers); breaks: for a path, bytes after which it hangs up once.

    requests: (path, headers) of what was asked.
    """

    pages: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def served(site: Site) -> Iterator[Site]:
    """*site* on a free port of loopback; its url is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append((self.path, {key.lower(): value for key, value in self.headers.items()}))
            if self.path in site.redirects:
                target, headers = site.redirects[self.path]
                self.send_response(302)
                self.send_header("Location", target)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif self.path not in site.pages:
                self.send_error(404)
            else:
                self._send(site.pages[self.path])

        def _send(self, page: bytes) -> None:
            etag = site.etags.get(self.path, '"v1"')
            wanted = self.headers.get("Range")
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.headers["If-Range"] == etag else 0
            if start and start >= len(page):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(page)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(page) - start))
            self.end_headers()
            stop = site.breaks.pop(self.path, len(page))
            self.wfile.write(page[start:stop])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
