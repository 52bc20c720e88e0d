"""One task in a process of its own, with its memory bounded: python -m unscatter.serve.worker FOLDER.

FOLDER/request.json says what to do; result.json and the files that a person may download are written beside it.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unscatter.io.planes.volumes import read_volume
from unscatter.jobs import classify as classifying
from unscatter.jobs import factorize as factorizing
from unscatter.jobs import fit as fitting
from unscatter.jobs import refine_order as refining
from unscatter.jobs import volume as whole_volume
from unscatter.jobs.options import part_of
from unscatter.jobs.plane_reading import PlaneReading
from unscatter.jobs.provenance import replay_text
from unscatter.serve.drawing import fit_drawing, pattern_drawing, plane_drawing, volume_drawing
from unscatter.serve.requests import check_options

#: What a file or an option may be at fault for; anything else is a fault of ours.
_FAULTS = (ValueError, OSError, MemoryError)


def main() -> None:
    """Run the task in the folder that the command line names; always leaves a result.json."""
    # Names within the folder: results, which people take away, tell nothing of where the server keeps them.
    os.chdir(sys.argv[1])
    folder = Path()
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    _bound_memory(request["memory"])
    sys.addaudithook(_stay_here)
    try:
        answer = _RUNS[request["job"]](folder, request)
    except MemoryError:
        answer = {"error": f"this takes more than the {request['memory'] / 2**30:.1f} GiB that a task is given"}
    except _FAULTS as error:
        answer = {"error": " ".join(str(error).split()) or type(error).__name__}
    part = folder / "result.part"
    part.write_text(json.dumps(_plain(answer), default=str), encoding="utf-8")
    part.replace(folder / "result.json")


def _bound_memory(most: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Let a task reach no other machine, whatever its file holds."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError("a task of the page may not reach other machines")


def _factorize(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    options = check_options("factorize", request["options"])
    stem = folder / "out" / path.stem
    if options.volume:
        return _factorize_volume(folder, path, options, stem)
    keywords = dict(request["options"])
    if request.get("mask"):
        keywords["mask"] = str(folder / request["mask"])
    components = factorizing.factorize(path, **keywords)
    written = factorizing.write(components, stem)
    return {
        "text": f"{components.describe()}\n{components.findings.brief()}",
        "result": components.to_dict(),
        "files": _names(written, stem, components.provenance),
        "images": plane_drawing(folder, components),
    }


def _factorize_volume(folder: Path, path: Path, options: Any, stem: Path) -> dict[str, Any]:
    volume = whole_volume.run(path, options)
    written = whole_volume.write(volume, stem, layout=options.layout)
    makers = {
        "I_D": lambda layers: np.asarray(volume.volume.intensity[layers, :, :]),
        "I_FF": volume.form_factor,
        "I_SRO": volume.short_range_order,
    }
    return {
        "text": volume.describe(),
        "result": volume.to_dict(),
        "alphas": [{**dict(zip("uvw", one.pop("vector"), strict=True)), **one} for one in volume.to_dict()["order"]],
        "files": _names(written, stem, volume.provenance),
        "volume": volume_drawing(folder, volume.volume, makers),
    }


def _look(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    options = part_of(check_options("look", request["options"]), PlaneReading)
    volume = read_volume(folder / request["input"], **{name: options[name] for name in _VOLUME_OPTIONS})
    columns, rows, layers = volume.h.size, volume.k.size, volume.l.size
    makers = {"I_D": lambda block: np.asarray(volume.intensity[block, :, :])}
    cell = "cell not known" if volume.cell is None else f"cell {volume.cell}"
    return {
        "text": "\n".join([f"volume {columns} x {rows} x {layers} voxels along h, k, l", cell, *volume.notes]),
        "result": {},
        "files": [],
        "volume": volume_drawing(folder, volume, makers),
    }


#: Options that say how a volume is read; the others are of planes.
_VOLUME_OPTIONS = ("cell", "axes", "dataset", "missing", "zeros")


def _classify(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    options = check_options("classify", request["options"])
    ranking = classifying.run(path, options)
    stem = folder / "out" / path.stem
    written = classifying.write(ranking, stem, start_files=options.start_files)
    if ranking.fit is not None:
        # The CIF is among the start files, with the likeliest group.
        written += fitting.write(ranking.fit, stem, picture=False, cif=not options.start_files)
    return {
        "text": ranking.describe(),
        "result": ranking.to_dict(),
        "files": _names(written, stem, ranking.provenance),
        "curve": pattern_drawing(ranking),
    }


def _fit(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    fit = fitting.run(path, check_options("fit", request["options"]))
    stem = folder / "out" / f"{path.stem}.{fit.lattice.bravais}"
    written = fitting.write(fit, stem)
    return {
        "text": fit.describe(),
        "result": {},
        "files": _names(written, stem, fit.provenance),
        "fit": fit_drawing(fit),
    }


def _refine(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    fit = refining.run(path, check_options("refine order", request["options"]))
    stem = folder / "out" / path.stem.removesuffix(".factorized")
    written = refining.write(fit, stem, store_in=path)
    return {
        "text": fit.describe(),
        "result": {"alphas": fit.rows(), "laue": fit.laue},
        "alphas": fit.rows(),
        "files": _names(written, Path(f"{stem}.order"), fit.provenance),
    }


_RUNS: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "factorize": _factorize,
    "classify": _classify,
    "fit": _fit,
    "look": _look,
    "refine order": _refine,
}


def _names(written: tuple[Path, ...], stem: Path, provenance: dict[str, Any]) -> list[str]:
    """Names of what was written, and of the options that make it again, which are written too."""
    toml = Path(f"{stem}.options.toml")
    toml.write_text(replay_text([provenance]), encoding="utf-8")
    return [path.name for path in (*written, toml)]


def _plain(value: Any) -> Any:
    """The same with None for numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
