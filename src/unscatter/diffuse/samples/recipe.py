"""Recipes of wing A: how samples are made, as TOML files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

from unscatter.io.recipes import read_recipe_table

Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class DiffuseRecipe:
    """How samples are made; on disk a TOML file, unknown keys refused.

    physical: I_SRO >= 0 with a smooth cut-off, against the published series (cut at |u| = 5, origin twice, negative
    part clipped to zero). monte_carlo: fraction of samples from Monte Carlo models. All ranges are (lowest, highest),
    drawn uniformly unless said otherwise.

    oriented: fraction of the samples on a plane of any orientation, turned by any angle, of a cell of any shape; of
    those, incommensurate: fraction on planes that hold no two translations of the lattice, and sheared: fraction whose
    picture has axes that are neither perpendicular nor of one scale. period: of I_SRO, as a share of the plane's edge,
    drawn on a logarithmic scale in place of q_max. I_SRO is shaped, and stays periodic, by order_threshold (share of
    its maximum that is clipped away), then order_power, then order_strength (of its deviation from the mean).
    """

    name: str
    pixels: int = 256
    q_max: Range = (6.0, 8.0)  # 1/Angstrom
    physical: bool = True
    monte_carlo: float = 0.69
    oscillator_frequency: Range = (0.0, 3.14)  # radians a shell
    clapp_moss: float = 0.0  # fraction of the samples that are not Monte Carlo
    window: Range = (4.0, 8.0)  # cells: where the smooth cut-off reaches zero
    artefacts: float = 1.0  # fraction of samples seen through a detector
    scans: int = 512  # size of the pool of detector geometries
    least_coverage: float = 0.4  # of a plane by its scan
    debye_waller: Range = (0.0, 0.0)  # D_w in Angstrom^2
    counts: Range = (0.0, 0.0)  # mean counts a pixel, drawn on a logarithmic scale; 0 is no noise
    background: float = 0.0  # strength of the smooth background; 0 is none
    bragg_residue: float = 0.0  # fraction of samples with residue at Bragg positions
    blur: Range = (0.0, 0.0)  # s.d. in pixels
    whole_counts: bool = False  # few counts are whole numbers, as counted; else a smooth likeness of them
    wide_gaps: float = 0.0  # fraction of samples with gaps of other kinds besides
    oriented: float = 0.0
    incommensurate: float = 0.0
    sheared: float = 0.0
    period: Range = (0.0, 0.0)
    streaks: float = 0.0  # fraction of samples whose order runs along one direction alone
    order_threshold: Range = (0.0, 0.0)
    order_power: Range = (1.0, 1.0)
    order_strength: Range = (1.0, 1.0)

    def __post_init__(self) -> None:
        """Turn the lists of a TOML file into the tuples they stand for."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(float(v) for v in value))


def read_recipe(name: str) -> DiffuseRecipe:
    """Read a recipe: one that is shipped (paper, physical, measured, turned, faint), or a TOML file by its path.

    Raises FileNotFoundError or ValueError that says which recipes and keys there are.
    """
    keys = (field.name for field in fields(DiffuseRecipe))
    return DiffuseRecipe(**read_recipe_table("diffuse", name, keys))


def recipe_record(recipe: DiffuseRecipe) -> dict[str, Any]:
    """The resolved recipe as plain data, for checkpoints, data sets and results."""
    return asdict(recipe)
