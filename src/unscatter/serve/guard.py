"""What stands before every request: the name it asks for, the token, and how much it sends."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from unscatter.serve.limits import Limits

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

#: A page may run its own scripts and show its own pictures; nothing from elsewhere, and no other page may frame it.
_HEADERS = (
    (b"content-security-policy", b"default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
#: Bytes of a JSON body; files come by another way.
_LARGEST_JSON = 2**20


class Guard:
    """ASGI middleware; a request that is not allowed never reaches a route."""

    def __init__(self, application: Application, limits: Limits) -> None:
        """Stand before an application."""
        self.application, self.limits = application, limits

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let a request pass, or answer it with 400, 401, 403, 413 or 421."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        await self.application(scope, receive, _with_headers(send))

    def _refusal(self, scope: Message, headers: dict[bytes, str]) -> tuple[int, str] | None:
        host = headers.get(b"host", "")
        if host not in self.limits.names:
            # A name of another site that points at this machine: DNS rebinding.
            return 421, f"this server does not answer to the name {host!r}; open http://{self.limits.names[0]}"
        origin = headers.get(b"origin", "")
        if origin and origin.partition("://")[2] not in self.limits.names:
            return 403, f"a page of {origin} may not use this server"
        if not self._may_enter(scope, headers):
            return 401, "this server asks for its token: open it with ?token=..., or send Authorization: Bearer ..."
        largest = self.limits.upload if scope["path"] == "/api/files" else _LARGEST_JSON
        length = headers.get(b"content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return 400, f"Content-Length {length!r} is no number"
        if int(length) > largest:
            return 413, f"{int(length)} bytes are more than the {largest} that are taken"
        return None

    def _may_enter(self, scope: Message, headers: dict[bytes, str]) -> bool:
        # The page itself holds no data; what it asks for does.
        if not self.limits.token or not scope["path"].startswith("/api/") or scope["path"] == "/api/docs":
            return True
        sent = headers.get(b"authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(sent.encode(), self.limits.token.encode())


async def _answer(send: Send, status: int, words: str) -> None:
    body = json.dumps({"detail": words}).encode("ascii")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_HEADERS]
        await send(message)

    return sent
