"""unscatter: deep learning that takes diffraction data apart.

Public names are loaded on first use, so ``import unscatter`` imports neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unscatter.version import __version__

if TYPE_CHECKING:
    from unscatter.io.patterns import read_lines, read_pattern
    from unscatter.io.planes.read import read_plane
    from unscatter.io.results.components import read_components, write_components
    from unscatter.io.results.molecule_fit import read_molecule_fit
    from unscatter.io.results.ranking import read_ranking
    from unscatter.jobs.classify import classify, classify_many
    from unscatter.jobs.factorize import factorize
    from unscatter.jobs.fit import fit
    from unscatter.jobs.index import index
    from unscatter.jobs.refine_molecules import refine_molecules
    from unscatter.jobs.refine_order import refine_order
    from unscatter.jobs.supercell import supercell
    from unscatter.nouns.cell import Cell
    from unscatter.nouns.components import Components
    from unscatter.nouns.lattice import Lattice
    from unscatter.nouns.lines import Lines
    from unscatter.nouns.molecule import Molecule
    from unscatter.nouns.order import OrderParameters
    from unscatter.nouns.pattern import Pattern
    from unscatter.nouns.plane import Plane, PlaneAxes
    from unscatter.nouns.ranking import Ranking
    from unscatter.nouns.volume import Volume
    from unscatter.powder.refine.fit_pattern import fit_pattern
    from unscatter.powder.refine.lines import find_lines

_HOMES = {
    "Cell": "unscatter.nouns.cell",
    "Components": "unscatter.nouns.components",
    "Lattice": "unscatter.nouns.lattice",
    "Lines": "unscatter.nouns.lines",
    "Molecule": "unscatter.nouns.molecule",
    "OrderParameters": "unscatter.nouns.order",
    "Pattern": "unscatter.nouns.pattern",
    "Plane": "unscatter.nouns.plane",
    "PlaneAxes": "unscatter.nouns.plane",
    "Ranking": "unscatter.nouns.ranking",
    "Volume": "unscatter.nouns.volume",
    "classify": "unscatter.jobs.classify",
    "classify_many": "unscatter.jobs.classify",
    "factorize": "unscatter.jobs.factorize",
    "find_lines": "unscatter.powder.refine.lines",
    "fit": "unscatter.jobs.fit",
    "fit_pattern": "unscatter.powder.refine.fit_pattern",
    "index": "unscatter.jobs.index",
    "read_components": "unscatter.io.results.components",
    "read_lines": "unscatter.io.patterns",
    "read_molecule_fit": "unscatter.io.results.molecule_fit",
    "read_pattern": "unscatter.io.patterns",
    "read_plane": "unscatter.io.planes.read",
    "read_ranking": "unscatter.io.results.ranking",
    "refine_molecules": "unscatter.jobs.refine_molecules",
    "refine_order": "unscatter.jobs.refine_order",
    "supercell": "unscatter.jobs.supercell",
    "write_components": "unscatter.io.results.components",
}

__all__ = [
    "Cell",
    "Components",
    "Lattice",
    "Lines",
    "Molecule",
    "OrderParameters",
    "Pattern",
    "Plane",
    "PlaneAxes",
    "Ranking",
    "Volume",
    "__version__",
    "classify",
    "classify_many",
    "factorize",
    "find_lines",
    "fit",
    "fit_pattern",
    "index",
    "read_components",
    "read_lines",
    "read_molecule_fit",
    "read_pattern",
    "read_plane",
    "read_ranking",
    "refine_molecules",
    "refine_order",
    "supercell",
    "write_components",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'unscatter' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
