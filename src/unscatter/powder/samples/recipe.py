"""Recipes: how powder samples are made, as a TOML file says it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unscatter.io.recipes import read_recipe_table
from unscatter.powder.pattern.instrument import read_instruments

Axis: TypeAlias = Literal["network", "instrument"]
Range: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class PowderRecipe:
    """How samples are made; on disk a TOML file, unknown keys refused.

    axis: "network" for the three channels on the axis free of the wavelength, "instrument" for the pattern on the
    angles of the only instrument, divided by its maximum. All ranges are (lowest, highest), drawn evenly on a
    logarithmic scale unless said otherwise; (0, 0) switches an effect off.
    """

    name: str
    axis: Axis = "network"
    neutron: tuple[str, ...] = ("lolla-2022",)  # instruments, drawn alike
    x_ray: tuple[str, ...] = ()
    neutron_share: float = 1.0  # of the samples
    synchrotron: float = 0.0  # share of the X-ray samples with one wavelength of 0.4 to 1.6 Angstrom and narrow lines
    wavelength_spread: float = 0.0  # s.d. of ln(wavelength) around that of a neutron instrument
    width: Range = (1.0, 1.0)  # factor of the instrument's FWHM
    step: Range = (1.0, 1.0)  # factor of the instrument's step
    cut: Range = (0.0, 0.0)  # largest share of the range that is missing at its start and at its end, drawn evenly
    counts: Range = (0.0, 0.0)  # in the highest point
    background: Range = (0.0, 0.0)  # share of the highest peak
    amorphous: float = 0.0  # share of the samples with a hump
    zero_shift: float = 0.0  # s.d. in degrees
    displacement: float = 0.0  # s.d. in degrees at two-theta = 0
    size: Range = (0.0, 0.0)  # of the crystallites in Angstrom
    strain: Range = (0.0, 0.0)
    textured: float = 0.0  # share of the samples with preferred orientation, where symmetry leaves a pole
    texture: float = 1.0  # largest March-Dollase r, 1 / r the smallest
    b_iso: Range = (0.0, 0.0)  # in Angstrom^2, where the structure has none of its own; drawn evenly
    cell_scale: float = 0.0  # s.d. of ln(edge), all edges alike
    cell_strain: float = 0.0  # s.d. of ln(edge) of every free edge
    impurity: float = 0.0  # share of the samples with another structure's lines
    impurity_area: float = 0.0  # largest share of their area
    impurity_power: float = 1.0  # the share drawn is impurity_area u^power, u even between 0 and 1
    axial: Range = (1.0, 1.0)  # factor of the instrument's axial heights
    zero_outlier: float = 0.0  # share of the samples whose zero is drawn evenly up to zero_most instead
    zero_most: float = 0.0  # in degrees, to either side
    contaminated: float = 0.0  # share of the samples with other wavelengths in the beam, as the next three say
    k_beta: Range = (0.0, 0.0)  # K-beta as a share of K-alpha of a tube, drawn evenly
    tungsten: Range = (0.0, 0.0)  # W L-alpha as a share of K-alpha of a tube, drawn evenly
    half_wavelength: Range = (0.0, 0.0)  # lambda / 2 as a share of a neutron beam, drawn evenly
    can: float = 0.0  # share of the samples with lines of aluminium or, for neutrons, vanadium
    can_area: Range = (0.0, 0.0)  # their share of the area, drawn evenly
    magnetic: float = 0.0  # share of the neutron samples with magnetic lines
    magnetic_area: Range = (0.0, 0.0)  # their share of the area, drawn evenly

    def __post_init__(self) -> None:
        """Turn the lists of a TOML file into tuples, and refuse what cannot be."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, tuple(value))
        known = read_instruments()
        for name in (*self.neutron, *self.x_ray):
            if name not in known:
                raise ValueError(f"recipe {self.name!r}: no instrument {name!r}; there are {', '.join(sorted(known))}")
        missing = (self.neutron_share > 0 and not self.neutron) or (self.neutron_share < 1 and not self.x_ray)
        if missing:
            raise ValueError(
                f"recipe {self.name!r}: neutron_share = {self.neutron_share:g} needs instruments in neutron (more "
                "than 0) and in x_ray (less than 1)"
            )
        if self.axis not in ("network", "instrument"):
            raise ValueError(f'recipe {self.name!r}: axis {self.axis!r} is not known: write "network" or "instrument"')
        fixed = self.neutron_share == 1 and len(self.neutron) == 1 and self.step == (1, 1) and self.cut == (0, 0)
        if self.axis == "instrument" and not fixed:
            raise ValueError(
                f'recipe {self.name!r}: axis = "instrument" needs patterns of one length: '
                "one instrument, step = [1, 1] and cut = [0, 0]"
            )

    @property
    def adds_foreign_lines(self) -> bool:
        """Whether beams, cans or moments may add lines that are not of the structure."""
        return max(self.contaminated, self.can, self.magnetic, self.zero_outlier) > 0 or self.axial != (1.0, 1.0)

    @property
    def repeats_itself(self) -> bool:
        """Whether nothing is left to chance: all patterns of a structure are the same."""
        chosen = replace(PowderRecipe(self.name), axis=self.axis, neutron=self.neutron)
        return self == chosen and len(self.neutron) == 1


def read_recipe(name_or_path: str | Path) -> PowderRecipe:
    """Read a recipe by the name of one that is shipped (paper, measured) or the path of a TOML file.

    Raises FileNotFoundError or ValueError that says which recipes and keys there are.
    """
    keys = (field.name for field in fields(PowderRecipe))
    return PowderRecipe(**read_recipe_table("powder", str(name_or_path), keys))


def recipe_record(recipe: PowderRecipe) -> dict[str, Any]:
    """The resolved recipe as plain data, for checkpoints, data sets and results."""
    return asdict(recipe)
