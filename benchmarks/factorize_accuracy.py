"""Held-out accuracy of the shipped network, with and without the lattice, for the three recipes.

python benchmarks/factorize_accuracy.py [--count 98]
"""

import argparse

from unscatter.train.diffuse.evaluate import EvaluationOptions, evaluate_factorize


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=98)
    options = parser.parse_args()
    for recipe in ("paper", "physical", "measured"):
        print(evaluate_factorize(EvaluationOptions(recipe=recipe, count=options.count)), end="\n\n")


if __name__ == "__main__":
    main()
