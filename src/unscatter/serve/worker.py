"""One task in a process of its own, with its memory bounded: python -m unscatter.serve.worker FOLDER.

FOLDER/request.json says what to do; result.json and the files that a person may download are written beside it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.jobs import classify as classifying
from unscatter.jobs import factorize as factorizing
from unscatter.jobs import refine_order as refining
from unscatter.jobs import volume as whole_volume
from unscatter.nouns.components import Components
from unscatter.nouns.pattern_fit import PatternFit
from unscatter.nouns.ranking import Ranking
from unscatter.serve.requests import check_options

#: What a file or an option may be at fault for; anything else is a fault of ours.
_FAULTS = (ValueError, OSError, MemoryError)
_LARGEST_IMAGE = 1024


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
    _write(folder / "result.json", json.dumps(answer, default=str))


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
        volume = whole_volume.run(path, options)
        written = whole_volume.write(volume, stem, layout=options.layout)
        return {"text": volume.describe(), "result": volume.to_dict(), "files": _names(written)}
    keywords = dict(request["options"])
    if request.get("mask"):
        keywords["mask"] = str(folder / request["mask"])
    components = factorizing.factorize(path, **keywords)
    written = factorizing.write(components, stem)
    return {
        "text": f"{components.describe()}\n{components.findings.brief()}",
        "result": components.to_dict(),
        "files": _names(written),
        "images": _images(folder, components),
    }


def _classify(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    options = check_options("classify", request["options"])
    ranking = classifying.run(path, options)
    written = classifying.write(ranking, folder / "out" / path.stem, start_files=options.start_files)
    return {
        "text": ranking.describe(),
        "result": ranking.to_dict(),
        "files": _names(written),
        "curve": _curve(ranking),
    }


def _refine(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    path = folder / request["input"]
    fit = refining.run(path, check_options("refine order", request["options"]))
    written = refining.write(fit, folder / "out" / path.stem.removesuffix(".factorized"))
    return {"text": fit.describe(), "result": {"alphas": fit.rows()}, "files": _names(written)}


_RUNS: dict[str, Callable[[Path, dict[str, Any]], dict[str, Any]]] = {
    "factorize": _factorize,
    "classify": _classify,
    "refine order": _refine,
}


def _names(written: tuple[Path, ...]) -> list[str]:
    return [path.name for path in written]


def _images(folder: Path, components: Components) -> dict[str, Any]:
    """The planes as raw float32 for the page to draw, and where their pixels lie."""
    plane = components.plane
    step = -(-max(plane.intensity.shape) // _LARGEST_IMAGE)
    layers = {
        "I_D": plane.intensity,
        "I_FF": components.form_factor,
        "I_SRO": components.short_range_order,
        "product": components.product,
        "residual": components.residual,
    }
    for name, values in layers.items():
        _write_bytes(folder / f"{name}.f32", values[::step, ::step])
    x, y = (np.arange(n, dtype=float) for n in plane.intensity.shape[::-1])
    if plane.axes is not None:
        x, y = plane.axes.x, plane.axes.y
    labels = [" ".join((name, f"({unit})")) for name, unit in (plane.axis_label("x"), plane.axis_label("y"))]
    rows, columns = plane.intensity[::step, ::step].shape
    return {
        "names": list(layers),
        "rows": rows,
        "columns": columns,
        "step": step,
        "shape": list(plane.intensity.shape),
        "x": [float(x[0]), float(x[::step][-1])],
        "y": [float(y[0]), float(y[::step][-1])],
        "labels": labels,
    }


def _curve(ranking: Ranking) -> dict[str, Any]:
    """The pattern for the page to draw, and how the likeliest lattice and the best of another kind explain it."""
    pattern = ranking.pattern
    return {
        "two_theta": pattern.two_theta.round(5).tolist(),
        "intensity": pattern.intensity.tolist(),
        "wavelength": pattern.wavelength,
        "fits": [_drawn(fit) for fit in (ranking.fit, ranking.second) if fit is not None],
    }


def _drawn(fit: PatternFit) -> dict[str, Any]:
    return {
        "name": f"{fit.lattice.bravais}, {fit.cell_text}, R_wp {100 * fit.r_wp:.1f} %",
        "calculated": fit.calculated.tolist(),
        "ticks": fit.two_theta.round(5).tolist(),
        "hkl": fit.hkl.tolist(),
        "foreign": fit.foreign.round(5).tolist(),
    }


def _write_bytes(path: Path, values: NDArray[np.float64]) -> None:
    path.write_bytes(np.ascontiguousarray(values, dtype="<f4").tobytes())


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    main()
