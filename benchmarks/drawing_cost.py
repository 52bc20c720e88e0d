"""What drawing costs: process CPU time of imports, of the font cache, and of the picture of a ranking.

python benchmarks/drawing_cost.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

TIMES = {
    "import matplotlib.figure, after NumPy": "import matplotlib.figure",
    "the same with matplotlib.pyplot": "import matplotlib.pyplot",
    "the first time on a machine, font cache built": "import matplotlib.figure",
    "picture of a ranking, built and saved": (
        "from io import BytesIO; f = ranking.plot(); FigureCanvasAgg(f); f.savefig(BytesIO(), dpi=110, format='png')"
    ),
}
BEFORE = {
    "picture of a ranking, built and saved": (
        "import matplotlib.figure; from matplotlib.backends.backend_agg import FigureCanvasAgg\n"
        "from unscatter.powder.classify.classify import classify\n"
        "from unscatter.powder.demonstration import simulate_corundum\n"
        "ranking = classify(simulate_corundum())"
    ),
}


def cpu_seconds(before: str, timed: str, environment: dict[str, str]) -> float:
    code = f"import time, numpy\n{before}\nt = time.process_time()\n{timed}\nprint(time.process_time() - t)"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8", env=environment
    )
    return float(said.stdout)


def main() -> None:
    for name, timed in TIMES.items():
        with tempfile.TemporaryDirectory() as empty:
            extra = {"MPLCONFIGDIR": empty} if "font cache" in name else {}
            print(f"{name:<44} {cpu_seconds(BEFORE.get(name, ''), timed, {**os.environ, **extra}):6.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "unscatter", "demo", "-q", "--out", folder], check=True)
        pattern = Path(folder) / "corundum_simulated.xye"
        for option in ("--picture", "--no-picture"):
            before = os.times()
            command = [sys.executable, "-m", "unscatter", "classify", str(pattern), "-q", "--out", folder, option]
            subprocess.run(command, check=True)
            after = os.times()
            spent = after.children_user + after.children_system - before.children_user - before.children_system
            print(f"{f'unscatter classify {option}, from process start':<44} {spent:6.2f} s")


if __name__ == "__main__":
    main()
