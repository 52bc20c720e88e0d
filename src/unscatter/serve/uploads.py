"""The route that takes files in: as they come, a few at once, so that memory grows neither with size nor number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from unscatter.serve.limits import Limits
from unscatter.serve.tasks import Desk

_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Taken(BaseModel):
    """A file that was taken in."""

    id: str
    name: str
    size: int
    sha256: str


def add_uploads(app: FastAPI, desk: Desk, limits: Limits) -> None:
    """Add POST /api/files."""
    turn = asyncio.Semaphore(limits.sending)

    @app.post("/api/files", status_code=201, summary="Upload a file, as the body of the request", openapi_extra=_BODY)
    async def take_file(
        request: Request, name: Annotated[str, Query(max_length=200, description="name, with its ending")] = "file"
    ) -> Taken:
        await _wait(turn, request, limits)
        try:
            with desk.receiving(name) as (number, path):
                await _receive(request, path, limits)
            upload = await run_in_threadpool(desk.end_upload, number, path)
        except OSError as error:
            told = f"no room for the file ({error.strerror}); free some, or send a smaller one"
            raise HTTPException(507, told) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        finally:
            turn.release()
        return Taken(id=upload.id, name=upload.name, size=upload.size, sha256=upload.sha256)


async def _wait(turn: asyncio.Semaphore, request: Request, limits: Limits) -> None:
    """Wait until another file may be received; what the sender has sent by then waits in its own machine."""
    try:
        await asyncio.wait_for(turn.acquire(), limits.silence)
    except TimeoutError:
        # Read to its end, or else the sender sees a broken connection in place of the words.
        size = 0
        async for chunk in _chunks(request, limits.silence):
            size += len(chunk)
            if size > limits.upload:
                break
        told = f"{limits.sending} files are being received already; send it again in a minute"
        raise HTTPException(503, told, headers={"Retry-After": "30"}) from None


async def _receive(request: Request, path: Path, limits: Limits) -> None:
    """Write the body of a request as it comes; HTTPException 413 for more than is taken."""
    size = 0
    with path.open("wb") as target:
        async for chunk in _chunks(request, limits.silence):
            size += len(chunk)
            if size > limits.upload:
                raise HTTPException(413, f"the file is larger than the {limits.upload} bytes that are taken")
            target.write(chunk)


async def _chunks(request: Request, silence: float) -> AsyncIterator[bytes]:
    """The body of a request; HTTPException 408 where nothing more comes of it."""
    stream = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), silence)
        except StopAsyncIteration:
            return
        except TimeoutError:
            told = f"nothing came for {silence:g} s; send the file again"
            raise HTTPException(408, told, headers={"Connection": "close"}) from None
