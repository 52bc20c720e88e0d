"""What goes wrong with a request, told as {"detail": words}, whatever letters the request was made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException


class Told(BaseModel):
    """What went wrong, in words."""

    detail: str


#: The answers that a route may give besides its own.
REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Told} for code in (400, 401, 403, 404, 408, 413, 421, 422, 503, 507)
}


def tell(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in ASCII: a request may hold letters, half a surrogate pair, that no UTF-8 has."""
    return Response(json.dumps({"detail": words}), status, headers, "application/json")


def add_answers(app: FastAPI) -> None:
    """Tell refusals of routes, and requests that are not as the schema says, in one form."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return tell(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(RequestValidationError)
    async def not_as_described(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = " ".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
        words = str(first["msg"]).removeprefix("Value error, ")
        return tell(422, f"{place}: {words}; /api/docs describes what is expected")
