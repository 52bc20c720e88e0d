"""Damaged and hostile planes: none may end otherwise than in a plane or in one line, within 10 s and 1 GB.

python benchmarks/fuzz_planes.py [--count 500]

Files of every format are spoilt by flipped bits and cut-off ends, as the tests do, many more times. Printed: how many
were read, how many refused, how many of those because the HDF5 library crashed or hung in the process that looks first,
the longest time, and the largest memory.
"""

import argparse
import logging
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

from unscatter.io import read_plane

sys.path += [str(Path(__file__).parents[1] / "tests"), str(Path(__file__).parents[1] / "tests/io/planes")]
import test_diffraction_formats as formats
import test_hostile_planes as hostile

WRITERS = {
    "NeXus NXdata": (hostile.write_plane, None),
    ".npy": (hostile.write_npy, None),
    ".npz": (hostile.write_npz, None),
    "text": (hostile.write_text, None),
    ".npz with axes": (hostile.write_archive, None),
    "list of pixels": (hostile.write_pixels, None),
    "NIPL": (hostile.write_nipl, None),
    "Surfer text": (hostile.write_surfer_text, None),
    "Surfer 7": (hostile.write_surfer_7, None),
    "NXdata, norm": (hostile.write_beside, None),
    "TIFF": (hostile.write_tiff, None),
    "Yell": (hostile.write_yell, None),
    "Mantid": (formats.write_mantid, "hk1"),
    "Meerkat": (formats.write_meerkat, "hk1"),
    "NXrefine, linked": (formats.write_nxrefine, "hk1"),
}


def outcome(path: Path, plane: str | None) -> str:
    try:
        read_plane(path, plane=plane)
    except (ValueError, FileNotFoundError) as error:
        if "\n" in str(error):
            return "more than one line"
        return "library failed" if "HDF5 library" in str(error) else "refused"
    except BaseException as error:
        return f"raised {type(error).__name__}"
    return "read"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    count = parser.parse_args().count
    warnings.simplefilter("ignore")
    logging.disable()
    for name, (write, plane) in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plane.h5"
            write(path)
            content = path.read_bytes()
            found: Counter[str] = Counter()
            longest = 0.0
            for seed in range(count):
                path.write_bytes(hostile.damaged(content, seed))
                started = time.perf_counter()
                found[outcome(path, plane)] += 1
                longest = max(longest, time.perf_counter() - started)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        words = ", ".join(f"{number} {what}" for what, number in sorted(found.items()))
        print(f"{name:<17} {count} files: {words}; longest {longest:.1f} s, memory so far {memory:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
