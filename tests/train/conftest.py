"""What tests of classifiers share: a small file of structures, five kinds with cells at random."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unscatter.powder.samples.cache_writing import write_reflection_cache
from unscatter.powder.samples.draw import CachedCrystals
from unscatter.train.powder.splits import split_table

#: Hermann-Mauguin symbol, system of the cell, and positions of two atoms, with P222 (16) outside the paper's 144.
KINDS = (
    ("F m -3 m", "cubic", ((0, 0, 0), (0.5, 0.5, 0.5))),
    ("P m -3 m", "cubic", ((0, 0, 0), (0.5, 0.5, 0.5))),
    ("P 63/m m c", "hexagonal", ((0, 0, 0), (1 / 3, 2 / 3, 0.25))),
    ("P n m a", "orthorhombic", ((0.1, 0.25, 0.2), (0.3, 0.25, 0.6))),
    ("P 2 2 2", "orthorhombic", ((0.1, 0.2, 0.3), (0.3, 0.4, 0.1))),
)
EACH = 12
ELEMENTS = ("Na", "K", "Fe", "Cu", "Zr", "Cl", "O", "F")


@pytest.fixture(scope="session")
def structures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reflection cache with EACH structures of each kind."""
    folder = tmp_path_factory.mktemp("structures")
    rng = np.random.default_rng(0)
    cifs = folder / "cifs"
    cifs.mkdir()
    for kind, (symbol, system, positions) in enumerate(KINDS):
        for number in range(EACH):
            a, b, c = 3.5 + 2.5 * rng.random(3)
            gamma = 120 if system == "hexagonal" else 90
            cell = {"cubic": (a, a, a), "hexagonal": (a, a, 1.6 * a)}.get(system, (a, b, c))
            atoms = rng.permutation(ELEMENTS)[:2]
            lines = [f"{e}{i} {e} {x} {y} {z}" for i, (e, (x, y, z)) in enumerate(zip(atoms, positions, strict=True))]
            text = f"""data_k{kind}n{number}
_cell_length_a {cell[0]:.4f}
_cell_length_b {cell[1]:.4f}
_cell_length_c {cell[2]:.4f}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
_symmetry_space_group_name_H-M '{symbol}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
""" + "\n".join(lines)
            (cifs / f"k{kind}n{number:02d}.cif").write_text(text + "\n")
    path = folder / "structures.h5"
    failed = write_reflection_cache(cifs, path, progress=False)
    assert not failed
    return path


@pytest.fixture(scope="session")
def by_prototype(structures: Path) -> dict[str, Any]:
    """Options of the first split by which five structure types leave no part empty."""
    fractions = (0.4, 0.3, 0.3)
    table = CachedCrystals([structures])
    for seed in range(100):
        with contextlib.suppress(ValueError):
            split_table(table, "prototype", seed, fractions)
            return {"split": "prototype", "split_seed": seed, "fractions": fractions}
    raise AssertionError("no seed parts the structure types")
