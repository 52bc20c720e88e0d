"""Commands that show what unscatter is: a demonstration, its networks, what to cite, how a result was made."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.screen import Flat, Screen


def demo(out: Path = Path("demo"), screen: Flat[Screen] = Screen()) -> int:
    """Simulate a plane and take it apart, simulate a powder pattern and classify it: what unscatter does, in seconds.

    Args:
        out: folder for the simulated data, the results and the pictures.
    """
    from unscatter.cli.patterns import classify
    from unscatter.cli.planes import factorize
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.io.results.components import write_plane
    from unscatter.powder.demonstration import simulate_corundum, write_pattern

    out.mkdir(parents=True, exist_ok=True)
    plane, pattern = out / "trisamide_hk1_simulated.h5", out / "corundum_simulated.xye"
    write_plane(plane, simulate_demonstration().plane)
    write_pattern(pattern, simulate_corundum())
    return max(factorize((plane,), out=out, screen=screen), classify((pattern,), out=out, screen=screen))


def doctor(out: Path | None = None) -> int:
    """Say what is installed and whether it works: versions, weights, threads, and the demonstration.

    Args:
        out: folder for the results of the demonstration; thrown away where it is left out.
    """
    import os
    import platform
    import tempfile
    import time
    from importlib.metadata import PackageNotFoundError, version

    from unscatter.version import __version__
    from unscatter.weights import list_weights, read_verified

    print(f"unscatter {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for name in _PACKAGES:
        try:
            print(f"  {name:<16} {version(name)}")
        except PackageNotFoundError:
            print(f"  {name:<16} not installed")
    threads = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS") if name in os.environ}
    print(f"  {'threads':<16} {os.cpu_count()} cores{', ' if threads else ''}{threads or ''}")
    for card in list_weights():
        read_verified(card, card.onnx.name)
        print(f"  {card.name:<16} whole, sha256 {card.files[card.onnx.name][:16]}...")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        code = demo(out or Path(folder), Screen(quiet=True))
        print(f"  {'demonstration':<16} {'done' if code == 0 else 'FAILED'} in {time.perf_counter() - started:.1f} s")
    return code


#: What the doctor looks for: what is needed, and what an extra brings.
_PACKAGES = (
    "numpy",
    "scipy",
    "gemmi",
    "h5py",
    "onnxruntime",
    "matplotlib",
    "numba",
    "spglib",
    "hdf5plugin",
    "fastapi",
    "torch",
)


def weights() -> int:
    """List the trained networks that are shipped, with what they scored."""
    from unscatter.weights import describe_card, list_weights

    for card in list_weights():
        print(describe_card(card))
    return 0


def cite(result: Positional[Path], /) -> int:
    """Print what to cite for a result file, as BibTeX: the software and the methods and weights that made it.

    Args:
        result: a file that factorize (.h5), classify, refine order, refine molecules (.json) or supercell (.cif) wrote.
    """
    from unscatter.citations import cite_result
    from unscatter.io.results.provenance import read_provenances

    print(cite_result(read_provenances(result)[0]))
    return 0


def options(result: Positional[Path], /) -> int:
    """Print the options that made a result, as TOML: --options FILE of the same command makes it again.

    Args:
        result: a file that factorize (.h5), classify, refine order, refine molecules (.json), supercell (.cif)
            or simulate (.h5) wrote.
    """
    from unscatter.io.results.provenance import read_provenances
    from unscatter.jobs.provenance import replay_text

    text = replay_text(read_provenances(result))
    if not text:
        raise ValueError(f"{result} does not say with which options it was made; an earlier unscatter wrote it")
    print(text, end="")
    return 0
