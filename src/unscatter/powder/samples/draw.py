"""Training samples of wing B: (recipe, seed, index, structure) -> a powder pattern with its labels, a pure function."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unscatter.nouns.cell import Cell
from unscatter.powder.pattern.background import amorphous_background, chebyshev_background
from unscatter.powder.pattern.channels import SHORTEST, network_channels
from unscatter.powder.pattern.instrument import Instrument, read_instruments
from unscatter.powder.pattern.peaks import Peaks, join_peaks, place_lines
from unscatter.powder.pattern.profile import show_peaks, sum_peaks
from unscatter.powder.samples.artefacts import add_counting_noise, damping, march_dollase, pole_cosine, stretch_cell
from unscatter.powder.samples.cache import PhaseLines
from unscatter.powder.samples.tables import CachedCrystals, Crystals, RandomCrystals

__all__ = [
    "CachedCrystals",
    "Crystals",
    "PowderRecipe",
    "PowderSamples",
    "RandomCrystals",
    "draw_pattern",
    "draw_samples",
    "read_recipe",
    "recipe_record",
]

Axis: TypeAlias = Literal["network", "instrument"]
Range: TypeAlias = tuple[float, float]

# A draw that shows no line is drawn again so often, the last time over the whole range of the instrument.
_ATTEMPTS = 8
# Wavelengths and relative widths of synchrotron diffractometers, on a logarithmic scale.
_SYNCHROTRON_WAVELENGTH = (0.4, 1.6)
_SYNCHROTRON_WIDTH = (0.01, 0.04)  # FWHM in degrees
_MOST_POINTS = 8000


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
    impurity_area: float = 0.0  # largest share of their area, drawn evenly

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
    def repeats_itself(self) -> bool:
        """Whether nothing is left to chance: all patterns of a structure are the same."""
        chosen = replace(PowderRecipe(self.name), axis=self.axis, neutron=self.neutron)
        return self == chosen and len(self.neutron) == 1


def read_recipe(name_or_path: str | Path) -> PowderRecipe:
    """Read a recipe by the name of one that is shipped (paper, measured) or the path of a TOML file.

    Raises FileNotFoundError or ValueError that says which recipes and keys there are.
    """
    name = str(name_or_path)
    shipped = files("unscatter.data").joinpath("recipes")
    names = sorted(
        f.name.removeprefix("powder-").removesuffix(".toml") for f in shipped.iterdir() if f.name.startswith("powder-")
    )
    if name in names:
        text = shipped.joinpath(f"powder-{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise FileNotFoundError(f"no recipe {name!r}: give one of {', '.join(names)}, or the path of a TOML file")
    table = tomllib.loads(text)
    known = {field.name for field in fields(PowderRecipe)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ValueError(f"recipe {name!r} has unknown keys {unknown}; known are {sorted(known)}")
    return PowderRecipe(**{"name": Path(name).stem, **table})


def recipe_record(recipe: PowderRecipe) -> dict[str, Any]:
    """The resolved recipe as plain data, for checkpoints, data sets and results."""
    return asdict(recipe)


@dataclass(frozen=True)
class PowderSamples:
    """Patterns and what they are of.

    inputs: (B, 3, 4096) channels on the network's axis, or (B, 1, n) on the angles of the instrument, highest point
    1; group: (B,) space group number - 1; cell: (B, 4), ln of the volume (Angstrom^3) and of a, b, c (Angstrom) of the
    conventional cell.
    """

    inputs: NDArray[np.float32]
    group: NDArray[np.int64]
    cell: NDArray[np.float32]


def draw_samples(
    recipe: PowderRecipe,
    crystals: Crystals,
    rows: NDArray[np.int64],
    seed: int,
    first: int,
    impurities: NDArray[np.int64] | None = None,
) -> PowderSamples:
    """Samples first, first + 1, ... of (recipe, seed), each of the structure in its place of `rows` (B,).

    impurities: rows (n,) from which an impurity may be drawn; None for all. In training give the training rows, lest
    structures of the test be seen as impurities. A sample depends on (recipe, seed, its number, its structure,
    impurities) and on nothing else, to the last digit. Raises ValueError for no impurities where the recipe has some.
    """
    drawn = [_draw_sample(recipe, crystals, int(row), seed, first + j, impurities) for j, row in enumerate(rows)]
    return PowderSamples(
        np.stack([sample for sample, _, _ in drawn]),
        np.array([group - 1 for _, group, _ in drawn], dtype=np.int64),
        np.log([[cell.volume, cell.a, cell.b, cell.c] for _, _, cell in drawn]).astype(np.float32),
    )


def draw_pattern(
    recipe: PowderRecipe,
    crystals: Crystals,
    row: int,
    seed: int,
    index: int,
    impurities: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], Instrument, PhaseLines]:
    """One pattern as an instrument would write it: two-theta (n,) in degrees, intensity (n,), instrument, phase.

    The phase has the cell it was measured with. impurities: as for draw_samples. Raises ValueError for a structure
    without a line in the range.
    """
    if recipe.impurity and impurities is not None and not len(impurities):
        raise ValueError(f"recipe {recipe.name!r} adds impurities, and impurities has no row to draw them from")
    rng = np.random.default_rng([seed, index])
    neutron = rng.random() < recipe.neutron_share
    phase = crystals.lines(row, "neutron" if neutron else "x-ray")
    if recipe.cell_scale or recipe.cell_strain:
        cell = stretch_cell(rng, phase.cell, phase.space_group, recipe.cell_scale, recipe.cell_strain)
        phase = replace(phase, cell=cell)
    for attempt in range(_ATTEMPTS):
        instrument = _draw_instrument(rng, recipe, neutron, whole=attempt == _ATTEMPTS - 1)
        two_theta, peaks = _draw_peaks(rng, recipe, crystals, phase, instrument, impurities)
        if peaks.max() > 0:
            return two_theta, _draw_measurement(rng, recipe, two_theta, peaks / peaks.max()), instrument, phase
    raise ValueError(f"structure {row} has no line in the range of {instrument.name}")


def _draw_sample(
    recipe: PowderRecipe,
    crystals: Crystals,
    row: int,
    seed: int,
    index: int,
    impurities: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float32], int, Cell]:
    two_theta, intensity, instrument, phase = draw_pattern(recipe, crystals, row, seed, index, impurities)
    if recipe.axis == "network":
        inputs = network_channels(two_theta, intensity, instrument.wavelengths[0])
    else:
        inputs = (intensity / intensity.max()).astype(np.float32)[None]
    return inputs, phase.space_group, phase.cell


def _draw_instrument(rng: np.random.Generator, recipe: PowderRecipe, neutron: bool, whole: bool) -> Instrument:
    """An instrument of the recipe, set up in its own way; over its whole range if asked for."""
    names = recipe.neutron if neutron else recipe.x_ray
    instrument = read_instruments()[names[int(rng.integers(len(names)))]]
    factor = _draw_log(rng, recipe.width) ** 2
    u, v, w = (factor * number for number in instrument.caglioti)
    wavelengths, weights, step = instrument.wavelengths, instrument.weights, instrument.range[2]
    start, stop = instrument.range[:2]
    optics: dict[str, Any] = {"axial": instrument.axial, "monochromator": instrument.monochromator}
    if neutron and recipe.wavelength_spread:
        turn = float(np.exp(recipe.wavelength_spread * rng.standard_normal()))
        wavelengths = tuple(wavelength * turn for wavelength in wavelengths)
    if not neutron and rng.random() < recipe.synchrotron:
        wavelengths, weights = (_draw_log(rng, _SYNCHROTRON_WAVELENGTH),), (1.0,)
        fwhm = _draw_log(rng, _SYNCHROTRON_WIDTH)
        u, v, w = fwhm**2, 0.0, fwhm**2
        # The beam is narrow, and polarised across the plane of diffraction.
        start, optics = 1.0, {"axial": (0.0, 0.0), "monochromator": 90.0}
        step = max(fwhm / 3, (stop - start) / _MOST_POINTS)
    # What lies beyond the network's axis is of no use to it.
    if recipe.axis == "network":
        end = 2 * np.degrees(np.arcsin(min(min(wavelengths) / (2 * SHORTEST), 1.0)))
        stop = min(stop, float(end) + step)
    if not whole and max(recipe.cut) > 0:
        length = stop - start
        start, stop = start + length * recipe.cut[0] * rng.random(), stop - length * recipe.cut[1] * rng.random()
    return replace(
        instrument,
        wavelengths=wavelengths,
        weights=weights,
        caglioti=(u, v, w),
        range=(start, stop, step * _draw_log(rng, recipe.step)),
        zero=instrument.zero + recipe.zero_shift * float(rng.standard_normal()),
        **optics,
    )


def _draw_peaks(
    rng: np.random.Generator,
    recipe: PowderRecipe,
    crystals: Crystals,
    phase: PhaseLines,
    instrument: Instrument,
    impurities: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles (n,) in degrees and the sum of all peaks (n,), without background and noise."""
    lines = _weigh_lines(rng, recipe, phase)
    other, share = None, 0.0
    if rng.random() < recipe.impurity:
        number = int(rng.integers(len(crystals) if impurities is None else len(impurities)))
        foreign = crystals.lines(number if impurities is None else int(impurities[number]), instrument.radiation)
        other = _weigh_lines(rng, recipe, foreign)
        share = recipe.impurity_area * float(rng.random())
    size = _draw_log(rng, recipe.size) if recipe.size[1] > 0 else np.inf
    strain = _draw_log(rng, recipe.strain) if recipe.strain[1] > 0 else 0.0
    instrument = replace(instrument, displacement=recipe.displacement * float(rng.standard_normal()))
    peaks = place_lines(*lines, instrument, size=size, strain=strain)
    if other is not None:
        peaks = _mix(peaks, place_lines(*other, instrument, size=size, strain=strain), share)
    two_theta = instrument.two_theta
    return two_theta, sum_peaks(show_peaks(peaks, instrument), two_theta, cut=instrument.cut)[0]


def _mix(peaks: Peaks, others: Peaks, share: float) -> Peaks:
    """Peaks of two phases, those of the other with `share` of the area of both."""
    scale = share / (1 - share) * peaks.area.sum() / max(others.area.sum(), 1e-300)
    return join_peaks([peaks, replace(others, area=scale * others.area)])


def _weigh_lines(
    rng: np.random.Generator, recipe: PowderRecipe, phase: PhaseLines
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """1/d (n,) and m |F|^2 (n,) of a phase, its atoms moving and its crystallites lying as they happen to."""
    inverse_d = phase.inverse_d()
    strength = phase.strength * inverse_d**2
    if not phase.damped and recipe.b_iso[1] > 0:
        strength = strength * damping(inverse_d, float(rng.uniform(*recipe.b_iso)))
    poles = [axis for axis in range(3) if phase.poles >> axis & 1]
    if poles and rng.random() < recipe.textured:
        r = _draw_log(rng, (1 / recipe.texture, recipe.texture))
        strength = strength * march_dollase(pole_cosine(phase.hkl, phase.cell, poles[int(rng.integers(len(poles)))]), r)
    return inverse_d, strength


def _draw_measurement(
    rng: np.random.Generator, recipe: PowderRecipe, two_theta: NDArray[np.float64], peaks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Background under the peaks, whose highest point is 1, and counting noise."""
    intensity = peaks
    if recipe.background[1] > 0:
        level = _draw_log(rng, recipe.background)
        smooth = chebyshev_background(two_theta, [1.0, *(rng.standard_normal(5) * 0.4 / np.arange(1, 6)).tolist()])
        intensity = intensity + level * np.maximum(smooth, 0.1)
        if rng.random() < recipe.amorphous:
            centre, width = rng.uniform(two_theta[0], two_theta[-1]), rng.uniform(5.0, 20.0)
            intensity = intensity + amorphous_background(two_theta, centre, width, level * 2 * float(rng.random()))
    if recipe.counts[1] > 0:
        counts = _draw_log(rng, recipe.counts)
        normal = rng.standard_normal(len(two_theta), dtype=np.float32)
        intensity = add_counting_noise(intensity * (counts / intensity.max()), normal)
    return intensity


def _draw_log(rng: np.random.Generator, limits: Range) -> float:
    """A number between two, even on a logarithmic scale."""
    low, high = limits
    return float(low * (high / low) ** rng.random())
