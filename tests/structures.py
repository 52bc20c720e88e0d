"""A small table of random structures, as a CSV that read_crystals takes."""

import csv

import numpy as np

from unscatter.atoms import atomic_number
from unscatter.powder.crystal.random_crystals import draw_crystal

GROUPS = (2, 14, 15, 62, 88, 136, 148, 166, 194, 216, 225, 227)


def draw_crystals(groups=GROUPS, seed=7):
    rng = np.random.default_rng(seed)
    return [draw_crystal(rng, group, tolerance=None) for group in groups]


def write_table(path, crystals):
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["material_id", "sg", "cell", "Z", "xyz"])
        for n, crystal in enumerate(crystals):
            numbers = [atomic_number(e) for e in crystal.elements]
            columns = (crystal.cell.parameters, numbers, crystal.positions.ravel().tolist())
            rows.writerow([f"s{n}", crystal.space_group, *(" ".join(map(repr, map(float, c))) if c is not numbers
                           else " ".join(map(str, c)) for c in columns)])  # fmt: skip
    return path
