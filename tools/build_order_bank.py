"""Build the order bank of the training data: Warren-Cowley parameters of Monte Carlo models in boxes of 48^3 cells.

python tools/build_order_bank.py --count 1280
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import trange

from unscatter.diffuse.crystal.order import BANK_RADIUS, draw_targets, monte_carlo, warren_cowley

OUTPUT = Path(__file__).parents[1] / "training-data/src/unscatter_training_data/order_bank.npz"
BATCH = 8
TOLERANCE = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1280)
    parser.add_argument("--out", type=Path, default=OUTPUT)
    options = parser.parse_args()
    alphas, concentrations = [], []
    for batch in trange(options.count // BATCH):
        rng = np.random.default_rng([2024, batch])
        concentration, targets = draw_targets(rng, BATCH)
        occupied = monte_carlo(concentration, targets, rng)
        # Strongly clustering targets can empty the box of one species: nothing is ordered there any more.
        kept = np.abs(occupied.mean(axis=(1, 2, 3)) - concentration) < TOLERANCE
        occupied = occupied[kept]
        cube = warren_cowley(occupied, BANK_RADIUS).reshape(len(occupied), -1)
        alphas.append(cube[:, cube.shape[1] // 2 :].astype(np.float16))
        concentrations.append(occupied.mean(axis=(1, 2, 3)).astype(np.float32))
    np.savez_compressed(options.out, alpha=np.concatenate(alphas), concentration=np.concatenate(concentrations))


if __name__ == "__main__":
    main()
