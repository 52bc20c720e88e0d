"""The routes: files, tasks, results, and the page. /api/docs describes them, /openapi.json is for machines."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from unscatter.serve.guard import Guard
from unscatter.serve.limits import Limits
from unscatter.serve.requests import TaskRequest, describe_jobs
from unscatter.serve.tasks import Desk, FullError, UnknownError
from unscatter.version import __version__


class Told(BaseModel):
    """What went wrong, in words."""

    detail: str


class Taken(BaseModel):
    """A file that was taken in."""

    id: str
    name: str
    size: int
    sha256: str


_REFUSALS: dict[int | str, dict[str, Any]] = {
    code: {"model": Told} for code in (400, 401, 403, 404, 413, 421, 503, 507)
}


def make_app(limits: Limits) -> FastAPI:
    """The application, behind its guard."""
    desk = Desk(limits)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="unscatter",
        version=__version__,
        description="Takes diffraction data apart. Upload a file, begin a task on it, ask for the task, fetch results.",
        docs_url=None,
        redoc_url=None,
        lifespan=living,
        responses=_REFUSALS,
    )
    app.state.desk = desk
    _add_uploads(app, desk, limits)
    _add_tasks(app, desk)
    page = Path(str(files("unscatter.serve").joinpath("page")))

    @app.get("/api/docs", include_in_schema=False)
    async def documentation() -> FileResponse:
        return FileResponse(page / "api.html")

    app.mount("/", StaticFiles(directory=page, html=True), name="page")
    app.add_middleware(Guard, limits=limits)
    return app


def _add_uploads(app: FastAPI, desk: Desk, limits: Limits) -> None:
    @app.post(
        "/api/files",
        status_code=201,
        summary="Upload a file, as the body of the request",
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        },
    )
    async def take_file(
        request: Request, name: Annotated[str, Query(max_length=200, description="name, with its ending")] = "file"
    ) -> Taken:
        number, path = desk.begin_upload(name)
        try:
            await _receive(request, path, limits.upload)
        except BaseException as error:
            # Too large, broken off, or no room: nothing of it stays.
            shutil.rmtree(path.parent, ignore_errors=True)
            if isinstance(error, OSError):
                told = f"no room for the file ({error.strerror}); free some, or send a smaller one"
                raise HTTPException(507, told) from error
            raise
        try:
            upload = desk.end_upload(number, path)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        return Taken(id=upload.id, name=upload.name, size=upload.size, sha256=upload.sha256)


async def _receive(request: Request, path: Path, most: int) -> None:
    """Write the body of a request as it comes; HTTPException 413 for more than is taken."""
    size = 0
    with path.open("wb") as target:
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                raise HTTPException(413, f"the file is larger than the {most} bytes that are taken")
            target.write(chunk)


def _add_tasks(app: FastAPI, desk: Desk) -> None:
    @app.get("/api/jobs", summary="The jobs and their options, as JSON schema")
    async def jobs() -> dict[str, Any]:
        return describe_jobs()

    @app.post("/api/tasks", status_code=202, summary="Begin a job on a file")
    def begin(request: TaskRequest) -> dict[str, Any]:
        try:
            return desk.begin(request).to_dict()
        except FullError as error:
            raise HTTPException(503, str(error), headers={"Retry-After": "30"}) from error
        except UnknownError as error:
            raise HTTPException(404, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error

    @app.get("/api/tasks/{task}", summary="State of a task, and what came of it")
    async def look(task: str) -> dict[str, Any]:
        try:
            return desk.task(task).to_dict()
        except UnknownError as error:
            raise HTTPException(404, str(error)) from error

    @app.get(
        "/api/tasks/{task}/files/{name}",
        summary="A file that a task made: HDF5, CSV, JSON, PNG, or a plane as raw float32 (NAME.f32)",
        response_class=FileResponse,
    )
    async def fetch(task: str, name: str) -> FileResponse:
        try:
            return FileResponse(desk.result(task, name), filename=name)
        except UnknownError as error:
            raise HTTPException(404, str(error)) from error
