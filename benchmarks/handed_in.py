"""The call that benchmarks of independent simulators share: planes handed in with their cell or as pictures."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Made = TypeVar("Made")
Score = TypeVar("Score")


def run(
    text: str | None,
    count: int,
    ways: Sequence[str],
    make: Callable[[int, int], Made],
    score: Callable[[Made, str, str], Score],
    report: Callable[[str, list[Made], list[Score]], Iterable[str]],
) -> None:
    """Make planes (seed, number), score each as it is handed in, and print the lines of a report."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", default="factorize-256")
    parser.add_argument("--given", nargs="+", default=list(ways), choices=list(ways))
    options = parser.parse_args()
    planes = [make(options.seed, number) for number in range(options.count)]
    print(f"{options.count} planes, mean / median / 90 % of squared errors, published scaling")
    for given in options.given:
        scores = [score(made, given, options.weights) for made in planes]
        print("\n".join(report(given, planes, scores)), flush=True)
