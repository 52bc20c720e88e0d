"""The symmetry of crystal structures: their space group as spglib finds it, their type, and lists of operations."""

from __future__ import annotations

import warnings
from collections import defaultdict
from importlib import import_module
from math import gcd
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from unscatter.atoms import atomic_number
from unscatter.nouns.crystal import Crystal
from unscatter.nouns.sites import coset_representatives, primitive_atoms
from unscatter.symmetry import operations_from


def label_space_group(crystal: Crystal, tolerance: float = 0.1) -> int:
    """Number of the space group found by spglib with `tolerance` in Angstrom.

    Atoms that share a site count as one kind of atom. Raises ValueError where spglib finds no symmetry, and
    ImportError with what to install where spglib is missing.
    """
    found = ask_spglib("get_symmetry_dataset", _spglib_cell(crystal), symprec=tolerance)
    if found is None:
        raise ValueError(f"{crystal.name or 'structure'}: spglib finds no symmetry within {tolerance:g} Angstrom")
    return int(found.number)


def prototype_key(crystal: Crystal) -> str:
    """Structure type for splits without leakage: group, anonymous formula and multiplicities of the sites.

    For example "225_A1B1_4.4" for rock salt. Structures with different keys are of different types.
    Raises ValueError if the space group is not known.
    """
    if crystal.space_group is None:
        raise ValueError(f"{crystal.name or 'structure'}: label the space group before asking for its prototype")
    multiplicities = site_multiplicities(crystal)
    sites: dict[str, list[int]] = defaultdict(list)
    for element, multiplicity in zip(crystal.elements, multiplicities, strict=True):
        sites[element].append(int(multiplicity))
    kinds = sorted((sum(m), sorted(m)) for m in sites.values())
    unit = gcd(*(count for count, _ in kinds))
    formula = "".join(f"{chr(65 + i)}{count // unit}" for i, (count, _) in enumerate(kinds))
    return f"{crystal.space_group}_{formula}_" + ".".join("-".join(map(str, m)) for _, m in kinds)


def site_multiplicities(crystal: Crystal) -> NDArray[np.int64]:
    """Number of atoms of each site in the cell, (n,)."""
    _, site = primitive_atoms(crystal)
    return np.bincount(site, minlength=len(crystal.elements)) * len(coset_representatives(crystal)[2])


def closed_operations(ops: list[gemmi.Op]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Operations with all their products, the identity first."""
    known = {op.wrap().triplet(): op for op in [gemmi.Op("x,y,z"), *ops]}
    group = gemmi.GroupOps(list(known.values()))
    group.add_missing_elements()
    return operations_from(group)


def ask_spglib(question: str, *arguments: Any, **options: Any) -> Any:
    """Answer of spglib, None where it finds none; releases differ in saying so by None, a warning or an error."""
    try:
        spglib = import_module("spglib")
    except ImportError as error:
        raise ImportError("symmetry labels need spglib: pip install 'unscatter[powder]'") from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return getattr(spglib, question)(*arguments, **options)
        except getattr(getattr(spglib, "error", None), "SpglibError", ()):
            return None


def _spglib_cell(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.float64], list[int]]:
    """Cell, positions and kinds for spglib; every set of atoms on one position is a kind."""
    centring = coset_representatives(crystal)[2]
    atoms, site = primitive_atoms(crystal)
    first: dict[tuple[int, ...], int] = {}
    content: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for k, position in enumerate(np.round((atoms % 1.0) * 1e3).astype(int) % 1000):
        at = first.setdefault(tuple(position), k)
        element = crystal.elements[site[k]]
        content[at].append((atomic_number(element), round(float(crystal.occupancies[site[k]]), 3)))
    kinds: dict[tuple[tuple[int, float], ...], int] = {}
    numbers = [kinds.setdefault(tuple(sorted(c)), len(kinds) + 1) for c in content.values()]
    positions = (atoms[list(content)][:, None] + centring).reshape(-1, 3)
    return crystal.cell.direct, positions, [n for n in numbers for _ in centring]
