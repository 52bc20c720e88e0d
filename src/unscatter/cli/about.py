"""Commands that show what unscatter is: a demonstration, its networks, what to cite."""

from __future__ import annotations

from pathlib import Path

from tyro.conf import Positional

from unscatter.cli.patterns import classify
from unscatter.cli.planes import factorize


def demo(out: Path = Path("demo")) -> int:
    """Simulate a plane and take it apart, simulate a powder pattern and classify it: what unscatter does, in seconds.

    Args:
        out: folder for the simulated data, the results and the pictures.
    """
    from unscatter.diffuse.demonstration import simulate_demonstration
    from unscatter.io.results.components import write_plane
    from unscatter.powder.demonstration import simulate_corundum, write_pattern

    out.mkdir(parents=True, exist_ok=True)
    plane, pattern = out / "trisamide_hk1_simulated.h5", out / "corundum_simulated.xye"
    write_plane(plane, simulate_demonstration().plane)
    write_pattern(pattern, simulate_corundum())
    return max(factorize((plane,), out=out), classify((pattern,), out=out))


def weights() -> int:
    """List the trained networks that are shipped, with what they scored."""
    from unscatter.weights import describe_card, list_weights

    for card in list_weights():
        print(describe_card(card))
    return 0


def cite(result: Positional[Path], /) -> int:
    """Print what to cite for a result file: the software and the methods and weights that made it.

    Args:
        result: a file that `unscatter factorize` (.h5) or `unscatter classify` (.json) wrote.
    """
    from unscatter.io.results.components import read_components
    from unscatter.io.results.ranking import read_provenance
    from unscatter.weights import find_weights

    provenance = read_provenance(result) if result.suffix == ".json" else read_components(result).provenance
    print(f"unscatter {provenance['version']} (BSD-3-Clause)")
    for reference in find_weights(str(provenance["weights"])).cite:
        print(reference)
    return 0
