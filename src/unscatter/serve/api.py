"""The routes: files, tasks, results, and the page. /api/docs describes them, /openapi.json is for machines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from unscatter.serve.answers import REFUSALS, add_answers
from unscatter.serve.guard import Guard
from unscatter.serve.limits import Limits
from unscatter.serve.requests import TaskRequest, describe_jobs
from unscatter.serve.tasks import Desk, FullError, UnknownError
from unscatter.serve.uploads import add_uploads
from unscatter.version import __version__


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
        responses=REFUSALS,
    )
    add_answers(app)
    add_uploads(app, desk, limits)
    _add_tasks(app, desk)
    page = Path(str(files("unscatter.serve").joinpath("page")))

    @app.get("/api/docs", include_in_schema=False)
    async def documentation() -> FileResponse:
        return FileResponse(page / "api.html")

    app.mount("/", StaticFiles(directory=page, html=True), name="page")
    app.add_middleware(Guard, limits=limits)
    return app


def _add_tasks(app: FastAPI, desk: Desk) -> None:
    @app.get("/api/jobs", summary="The jobs and their options, as JSON schema")
    async def jobs() -> dict[str, Any]:
        return describe_jobs()

    @app.get("/api/limits", summary="What is taken: bytes of a file, bytes of memory and seconds of a task")
    async def bounds() -> dict[str, float]:
        limits = desk.limits
        return {"upload": limits.upload, "memory": limits.memory, "seconds": limits.seconds}

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

    @app.get(
        "/api/tasks/{task}/volume/{name}",
        summary="A plane of a volume as raw float32, rows first: across l, k or h, at an index",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}},
    )
    def cut(
        task: str, name: str, axis: Literal["l", "k", "h"], index: Annotated[int, Query(ge=0, le=10**6)]
    ) -> Response:
        try:
            return Response(desk.cut(task, name, axis, index), media_type="application/octet-stream")
        except UnknownError as error:
            raise HTTPException(404, str(error)) from error
