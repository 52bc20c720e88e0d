"""unscatter: deep learning that takes diffraction data apart.

Public names are loaded on first use, so ``import unscatter`` imports neither torch nor matplotlib.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unscatter.version import __version__

if TYPE_CHECKING:
    from unscatter.diffuse.factorize import factorize
    from unscatter.diffuse.refine_molecules import refine_molecules
    from unscatter.diffuse.refine_order import refine_order
    from unscatter.io.patterns import read_pattern
    from unscatter.io.planes import read_plane
    from unscatter.io.result import read_components, write_components
    from unscatter.powder.classify import classify, classify_many
    from unscatter.types import (
        Cell,
        Components,
        Molecule,
        OrderParameters,
        Pattern,
        Plane,
        PlaneAxes,
        Ranking,
        Volume,
    )

_HOMES = {
    "Cell": "unscatter.types",
    "Components": "unscatter.types",
    "Molecule": "unscatter.types",
    "OrderParameters": "unscatter.types",
    "Pattern": "unscatter.types",
    "Plane": "unscatter.types",
    "PlaneAxes": "unscatter.types",
    "Ranking": "unscatter.types",
    "Volume": "unscatter.types",
    "classify": "unscatter.powder.classify",
    "classify_many": "unscatter.powder.classify",
    "factorize": "unscatter.diffuse.factorize",
    "read_components": "unscatter.io.result",
    "read_pattern": "unscatter.io.patterns",
    "read_plane": "unscatter.io.planes",
    "refine_molecules": "unscatter.diffuse.refine_molecules",
    "refine_order": "unscatter.diffuse.refine_order",
    "write_components": "unscatter.io.result",
}

__all__ = [
    "Cell",
    "Components",
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
    "read_components",
    "read_pattern",
    "read_plane",
    "refine_molecules",
    "refine_order",
    "write_components",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'unscatter' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
