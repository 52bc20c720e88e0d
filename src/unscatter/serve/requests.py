"""What a task may ask for: the jobs, and of each those options that name no file of this machine."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from unscatter.jobs.classify import ClassifyOptions
from unscatter.jobs.factorize import FactorizeOptions
from unscatter.jobs.fit import LatticeFitOptions
from unscatter.jobs.options import make_options
from unscatter.jobs.plane_reading import PlaneReading
from unscatter.jobs.refine_order import RefineOrderOptions
from unscatter.weights import list_weights

#: The jobs, their options, and which of these are not for a request: they name files, or make many results of one.
JOBS: dict[str, tuple[type[Any], frozenset[str]]] = {
    "factorize": (FactorizeOptions, frozenset({"mask"})),
    "look": (PlaneReading, frozenset({"mask", "plane"})),
    "classify": (ClassifyOptions, frozenset({"table"})),
    "fit": (LatticeFitOptions, frozenset()),
    "refine order": (RefineOrderOptions, frozenset({"form_factor", "model_a", "model_b"})),
}


class TaskRequest(BaseModel):
    """A job on an uploaded file, or on the result of another task."""

    model_config = ConfigDict(extra="forbid")

    job: str = Field(description="factorize, look (at a volume), classify, fit (a given lattice), or refine order")
    file: str = Field(default="", max_length=64, description="id of an uploaded file")
    result_of: str = Field(default="", max_length=64, description="id of a factorize task to refine")
    mask: str = Field(default="", max_length=64, description="id of an uploaded mask, non-zero = not measured")
    options: dict[str, Any] = Field(default_factory=dict, description="options of the job")

    @field_validator("options")
    @classmethod
    def _can_be_written(cls, options: dict[str, Any]) -> dict[str, Any]:
        """Refuse what no JSON in UTF-8 can hold: half a surrogate pair, infinity."""
        try:
            json.dumps(options, ensure_ascii=False, allow_nan=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("a text holds half a character (a lone surrogate), which no file can hold") from None
        return options


def check_options(job: str, options: dict[str, Any]) -> Any:
    """The options of a job; raises ValueError for an unknown job, an unknown option, or one that names a file."""
    if job not in JOBS:
        raise ValueError(f"no job {job!r}; there are {', '.join(JOBS)}")
    kind, closed = JOBS[job]
    asked = sorted(set(options) & closed)
    if asked:
        raise ValueError(f"option {asked[0]} names a file of this machine, which a request may not; upload it instead")
    shipped = [card.name for card in list_weights()]
    if options.get("weights", shipped[0]) not in shipped:
        raise ValueError(f"weights {options['weights']!r} are not shipped; there are {', '.join(shipped)}")
    chosen = make_options(kind, options, job)
    for one in fields(kind):
        if isinstance(getattr(chosen, one.name), Path):
            raise ValueError(f"option {one.name} names a file of this machine, which a request may not")
    return chosen


def describe_jobs() -> dict[str, Any]:
    """The options of every job that a request may set, as JSON schema."""
    described = {}
    for job, (kind, closed) in JOBS.items():
        schema = TypeAdapter(kind).json_schema()
        schema["properties"] = {name: one for name, one in schema["properties"].items() if name not in closed}
        described[job] = schema
    return described
