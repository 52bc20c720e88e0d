"""Learn how intensities of lines are distributed about their mean, from structures: data/intensity_prior.toml.

python tools/build_intensity_prior.py runs/icsd.h5 [--count 3000]

Intensities of lines that the space group does not extinguish, divided by multiplicity and by the mean of lines around,
are fitted by mixtures of exponentials; structures of the training and validation parts alone are used, each alike.
"""

import argparse
from pathlib import Path

import numpy as np

from unscatter.powder.refine.absences import extinguished
from unscatter.powder.refine.predicted import predict_lines
from unscatter.powder.samples.tables import CachedCrystals
from unscatter.symmetry import bravais_lattice, label_set
from unscatter.train.powder.splits import split_table

MEANS = (1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.6, 1.5, 4.0, 12.0)
LIMIT = 0.8
TARGET = Path(__file__).parents[1] / "src" / "unscatter" / "data" / "intensity_prior.toml"


def normalised(crystals: CachedCrystals, row: int, radiation: str):
    """z of the general and of the special lines of one structure."""
    phase = crystals.lines(row, radiation)
    bravais = bravais_lattice(phase.space_group)
    predicted = predict_lines(phase.cell, bravais, LIMIT)
    if not 20 <= len(predicted.hkl) <= 1500:
        return None
    q = np.sqrt(predicted.inverse_d_squared)
    inverse_d = phase.inverse_d()
    settings, absent = extinguished(predicted.hkl, bravais)
    label = label_set("extinction-99").label(phase.space_group)
    inside = inverse_d < LIMIT - 1e-6
    nearest = np.clip(np.searchsorted(q, inverse_d[inside]), 1, len(q) - 1)
    nearest -= np.abs(q[nearest - 1] - inverse_d[inside]) < np.abs(q[nearest] - inverse_d[inside])
    area = np.bincount(nearest, phase.strength[inside] * inverse_d[inside] ** 2, len(q))
    # The setting of the structure is the one that extinguishes most of what is not there.
    fits = [k for k, s in enumerate(settings) if s.label == label and not area[absent[k]].sum() > 1e-3 * area.sum()]
    if not fits:
        return None
    mine = max(fits, key=lambda k: int(absent[k].sum()))
    present = ~absent[mine]
    general = ~absent.any(axis=0)
    if general.sum() < 12:
        general = present
    width = 0.08
    near = np.exp(-(((q[:, None] - q[None, general]) / width) ** 2))
    mean = (near @ area[general]) / (near @ predicted.multiplicity[general].astype(float))
    z = area / (mean * predicted.multiplicity)
    # Exactly coinciding lines of other hkl are one line of the sum; they were given to the first.
    single = np.diff(q, prepend=-1) > 1e-4
    single &= np.diff(q, append=9) > 1e-4
    return z[general & present & single], z[~general & present & single]


def fit_weights(samples: list[np.ndarray], rounds: int = 300) -> np.ndarray:
    """Weights of exponentials with given means, by expectation maximisation, every structure alike."""
    z = np.concatenate(samples)
    weight = np.concatenate([np.full(len(s), 1 / len(s)) for s in samples if len(s)])
    means = np.array(MEANS)
    density = np.exp(-np.maximum(z, 1e-6)[:, None] / means) / means
    found = np.full(len(means), 1 / len(means))
    for _ in range(rounds):
        part = density * found
        part /= part.sum(axis=1, keepdims=True)
        found = (weight[:, None] * part).sum(axis=0) / weight.sum()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("structures", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=3000)
    options = parser.parse_args()
    crystals = CachedCrystals(options.structures)
    split = split_table(crystals, "prototype", 0)
    rng = np.random.default_rng(2022)
    rows = rng.permutation(np.concatenate([split.training, split.validation]))[: options.count]
    lines = [
        "# Made by tools/build_intensity_prior.py: mixtures of exponentials of intensity over its mean.",
        f"means = {list(MEANS)}",
    ]
    for radiation in ("neutron", "x-ray"):
        found = [one for row in rows.tolist() if (one := normalised(crystals, row, radiation)) is not None]
        for k, kind in enumerate(("general", "special")):
            weights = fit_weights([one[k] for one in found if len(one[k])])
            lines += ["", f'["{radiation}".{kind}]', f"weights = {[round(float(w), 5) for w in weights]}"]
            print(radiation, kind, len(found), np.round(weights, 4))
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
