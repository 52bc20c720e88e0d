"""How a result was made: program and version, the job with every option, and what went in, by name and sha256."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unscatter.io.files import sha256_of
from unscatter.jobs.options import table_of, write_options
from unscatter.version import __version__


def record(job: str, options: Any, sources: Sequence[Any]) -> dict[str, Any]:
    """What to add to the provenance of a result.

    job: words of the command; options: of the job, all are kept; sources: paths, arrays or nouns that went in. Files
    that options name, a mask or a structure, are hashed too.
    """
    table = table_of(options)
    inputs = [_identity(source) for source in sources]
    found: dict[str, Any] = {"program": "unscatter", "version": __version__, "job": job, "options": table}
    if len(inputs) == 1:
        found |= {"input": inputs[0][0], "input_sha256": inputs[0][1]}
    else:
        found["inputs"] = [{"name": name, "sha256": digest} for name, digest in inputs]
    files = {name: sha256_of(name) for value in table.values() for name in _words(value) if _is_file(name)}
    return found | ({"files_sha256": files} if files else {})


def replay_text(provenances: Sequence[dict[str, Any]]) -> str:
    """Options that made a result, as TOML, under the commands that make it again; "" where none are kept."""
    kept = [one for one in provenances if "options" in one]
    if not kept:
        return ""
    tables = write_options({str(one["job"]): one["options"] for one in kept})
    return "\n".join([*(_how_to_replay(one) for one in kept), tables])


def _how_to_replay(provenance: dict[str, Any]) -> str:
    """Comments: what made a result, from what, and the command that makes it again."""
    inputs = provenance.get("inputs")
    if inputs is None:
        inputs = [{"name": provenance["input"], "sha256": provenance["input_sha256"]}]
    words = ["unscatter", provenance["job"], *(one["name"] for one in inputs), "--options THIS_FILE"]
    lines = [f"# unscatter {provenance['version']}: {' '.join(words)}"]
    lines += [f"# {one['name']}: sha256 {one['sha256']}" for one in inputs if "sha256" in one]
    lines += [f"# {name}: sha256 {digest}" for name, digest in provenance.get("files_sha256", {}).items()]
    return "\n".join(lines)


def _identity(source: Any) -> tuple[str, str]:
    """Name and sha256 of a file, or of the numbers of an array or a noun."""
    if isinstance(source, str | Path):
        return Path(source).name, sha256_of(source)
    digest = hashlib.sha256()
    for part in _numbers(source):
        digest.update(np.ascontiguousarray(part, dtype=np.float64).tobytes())
    name = getattr(source, "source", "") or getattr(source, "title", "")
    return Path(name).name or type(source).__name__, digest.hexdigest()


def _numbers(source: Any) -> list[Any]:
    """The arrays of a noun, in the order of its fields; an array itself."""
    if hasattr(source, "__dataclass_fields__"):
        values = [getattr(source, name) for name in source.__dataclass_fields__]
        return [part for value in values for part in _numbers(value)]
    if isinstance(source, tuple | list) and not all(np.isscalar(one) for one in source):
        return [part for value in source for part in _numbers(value)]
    array = np.asarray(source) if not isinstance(source, str | dict) and source is not None else None
    return [array] if array is not None and array.dtype.kind in "fiub" else []


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    # file.cif#2 and file.h5::path name a part of a file.
    return [str(one).partition("::")[0].partition("#")[0] for one in values if isinstance(one, str)]


def _is_file(name: str) -> bool:
    try:
        return bool(name) and Path(name).is_file()
    except (OSError, ValueError):
        return False
