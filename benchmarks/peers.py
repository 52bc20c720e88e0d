"""Index one list of lines with another program, in an environment of its own: python peers.py mlindex|rietx LIST.json

LIST.json: wavelength, two_theta, two_theta_error and area of each line. Printed is one line of JSON: the first cell
(a, b, c, alpha, beta, gamma), its centring, and CPU seconds without those of imports. benchmarks/index_peers.py asks.
"""

# Without this import before any other, mlindex ends in a crash of a shared library.
import sys

if sys.argv[1] == "mlindex":
    from cctbx import crystal  # noqa: F401
import contextlib
import io
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np

Answer = tuple[list[float], str] | None


def mlindex(lines: dict[str, Any]) -> Answer:
    """The first cell of run_analytical, of all lattices, by M20."""
    from mlindex.command_line.run import BRAVAIS_LATTICES, _collect_results, _conventional_cell
    from mlindex.optimization.AnalyticOptimizer import AnalyticOptimizer
    from mlindex.optimization.MPOptimizer import LocalComm

    angles = np.array(lines["two_theta"])[:20]
    squared = (2 * np.sin(np.radians(angles / 2)) / lines["wavelength"]) ** 2
    found: list[dict[str, Any]] = []
    for bravais in BRAVAIS_LATTICES[:7]:
        search = AnalyticOptimizer(
            bravais_lattice=bravais, comm=LocalComm(n_ranks=1), n_peaks=len(squared), n_ref_hkl_guess=10, seed=12345
        )
        search.run(q2=squared, zero_error=False, wavelength=lines["wavelength"])
        found = _collect_results(search, bravais, found)
    ranked = sorted(_conventional_cell(found), key=lambda one: -one["M20"])
    if not ranked:
        return None
    best = ranked[0]
    return [float(best[name]) for name in ("a", "b", "c", "alpha", "beta", "gamma")], best["bravais_lattice"][1]


def rietx(lines: dict[str, Any]) -> Answer:
    """The first candidate of the quick preset."""
    from rietx.indexing import index_pattern
    from rietx.schemas.indexing import PeakList

    peaks = PeakList.from_positions(
        np.array(lines["two_theta"]),
        lines["wavelength"],
        intensity=np.array(lines["area"]),
        two_theta_esd=np.array(lines["two_theta_error"]),
    )
    found = index_pattern(peaks).candidates
    if not found:
        return None
    return [float(value) for value in found[0].cell], found[0].centring


def main() -> None:
    name, path = sys.argv[1:]
    lines = json.loads(Path(path).read_text(encoding="utf-8"))
    ask = {"mlindex": mlindex, "rietx": rietx}[name]
    __import__(name)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with contextlib.redirect_stdout(io.StringIO()):
        answer = ask(lines)
    after = resource.getrusage(resource.RUSAGE_SELF)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cell, centring = answer or (None, "")
    print(json.dumps({"cell": cell, "centring": centring, "seconds": round(seconds, 2)}))


if __name__ == "__main__":
    main()
