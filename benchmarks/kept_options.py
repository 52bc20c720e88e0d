"""What the trainings in a folder were told, so that a benchmark that goes on never mixes two kinds."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path


def keep_options(folder: Path, options: argparse.Namespace, names: Sequence[str]) -> None:
    """Write the named options into a new folder; raises ValueError for a folder of other ones."""
    now = {name: json.loads(json.dumps(getattr(options, name), default=str)) for name in names}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "options.json"
    if not path.exists():
        path.write_text(json.dumps(now), encoding="utf-8")
    elif (then := json.loads(path.read_text(encoding="utf-8"))) != now:
        raise ValueError(f"{folder} holds trainings of {then}, not of {now}: give another --out")
