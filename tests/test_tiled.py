"""The recipe of docs/how-to/follow-a-tiled-catalog.md, on a real Tiled server and runs of a real Bluesky engine."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.powder.demonstration import simulate_corundum

for name in ("tiled", "bluesky", "ophyd"):
    pytest.importorskip(name, reason=f"{name} is not installed: .ci/tiled runs this test where it is")

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "follow-a-tiled-catalog.md"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment in which the recipe finds a catalog that is empty."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("tiled")
    command = [sys.executable, "-m", "tiled", "serve", "catalog", "--temp", "--api-key", "secret", "--port", str(port)]
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.3)
        yield {**os.environ, "TILED_URI": f"http://127.0.0.1:{port}", "TILED_API_KEY": "secret"}
        process.terminate()


def blocks() -> list[str]:
    """The Python of the page, block by block."""
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def follow(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    (folder / "follow.py").write_text(blocks()[0], encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "follow.py", "--once"], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )


def measure(catalog: Any) -> tuple[str, str]:
    """Corundum measured by a Bluesky scan, and the demonstration's plane; what the page says makes both."""
    from ophyd.sim import SynAxis, SynSignal

    pattern = simulate_corundum()
    coarse = slice(None, None, 2)
    angles, heights = pattern.two_theta[coarse], pattern.intensity[coarse]
    two_theta = SynAxis(name="two_theta")
    counts = SynSignal(name="counts", func=lambda: float(np.interp(two_theta.position, angles, heights)))
    block = blocks()[1].replace("10, 130, 1201", f"{angles[0]}, {angles[-1]}, {len(angles)}")
    space = {"catalog": catalog, "two_theta": two_theta, "counts": counts}
    exec(block, space)
    run = next(iter(catalog))
    plane = simulate_demonstration().plane
    assert plane.cell is not None
    written = catalog.write_array(
        plane.intensity,
        metadata={"unscatter": "factorize", **upright(plane)},
    )
    catalog.write_array(np.zeros((4, 4)), key="asks-for-nothing")
    catalog.write_array(np.zeros((4, 4)), key="at-fault", metadata={"unscatter": "factorize"})
    return run, written.item["id"]


def upright(plane: Any) -> dict[str, object]:
    """Axes and cell of the hexagonal plane, whose pixels are upright: along a* and 2 b* - a*."""
    axes = plane.axes
    x, y = float(axes.u[0] * axes.x[-1]), float(axes.v[1] / 2 * axes.y[-1])
    a, _, c = plane.cell.parameters[:3]
    cell = [a * 3**0.5 / 2, a / 2, c, 90.0, 90.0, 90.0]
    return {"axes": f"h={-x}:{x} k={-y}:{y} l={axes.origin[2]}", "cell": cell}


def test_runs_and_planes_of_a_catalog_are_worked_on_once_even_when_the_script_is_killed(
    tmp_path: Path, server: dict[str, str]
) -> None:
    from tiled.client import from_uri

    catalog = from_uri(server["TILED_URI"], api_key=server["TILED_API_KEY"])
    run, plane = measure(catalog)
    killed = follow(tmp_path, server)
    end = time.monotonic() + 120
    while time.monotonic() < end and not ("unscatter" in catalog and len(catalog["unscatter"])):
        time.sleep(0.1)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    begun = catalog["unscatter"]
    assert [begun[name].metadata.get("state") for name in begun] == [None], "killed in the middle of the first entry"

    process = follow(tmp_path, server)
    assert process.wait(300) == 0, process.communicate()[1]
    results = catalog["unscatter"]
    assert set(results) == {run, plane, "at-fault"}
    ranking = results[run].metadata["result"]
    best = max(ranking["levels"]["Bravais lattice"], key=lambda one: one["probability"])
    assert best["name"] == "hR"
    assert results[run]["probabilities"].read().sum() == pytest.approx(1)
    product = results[plane]["I_FF"].read() * results[plane]["I_SRO"].read()
    measured = np.isfinite(catalog[plane].read())
    assert np.corrcoef(product[measured], catalog[plane].read()[measured])[0, 1] > 0.95
    assert "axes" in results["at-fault"].metadata["reason"]

    before = {name: results[name].metadata_copy() for name in results}
    again = follow(tmp_path, server)
    assert again.wait(300) == 0, again.communicate()[1]
    assert before == {name: catalog["unscatter"][name].metadata_copy() for name in results}
