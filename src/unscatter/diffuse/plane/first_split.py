"""A plane taken apart with the lattice alone, as the network is given it to begin with."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from unscatter.diffuse.plane.fold import CellMap, fit_waves, local_mean
from unscatter.nouns.arrays import Array


@dataclass(frozen=True)
class FirstSplit:
    """What the lattice alone gives: a first I_FF and I_SRO, (..., ny, nx) each, and the series behind I_SRO."""

    form_factor: Array
    short_range_order: Array
    cell_map: CellMap


def split_by_lattice(
    intensity: Array,
    weight: Array,
    frequencies: Array,
    width: tuple[Array, Array],
    x: Array,
    y: Array,
    order: int,
    *,
    centric: bool = False,
    rounds: int = 1,
    smoothing: float = 0.25,
) -> FirstSplit:
    """Take a plane apart with the lattice and no network: fold the plane over its local mean, then smooth what is left.

    Alternates I_SRO = fold(I / I_FF) and I_FF = <I I_SRO> / <I_SRO^2>, the means over one reciprocal cell.

    intensity, weight: (..., ny, nx), weight 0 and any finite intensity where not measured.
    """
    xp = array_namespace(intensity)
    form = local_mean(intensity, weight, x, y, *width)
    ordering = xp.ones_like(intensity)
    cell_map = None
    for _ in range(rounds):
        floor = 1e-3 * xp.max(form, axis=(-2, -1), keepdims=True)
        safe = xp.where(form > floor, form, floor)
        # Counting noise in I / I_FF falls with I_FF: weight by it.
        cell_map = fit_waves(intensity / safe, weight * safe, frequencies, x, y, order, centric=centric)
        ordering = xp.clip(cell_map(x, y), 0.02, None)
        narrow = (smoothing * width[0], smoothing * width[1])
        form = local_mean(intensity / ordering, weight * ordering**2, x, y, *narrow)
    assert cell_map is not None
    return FirstSplit(xp.clip(form, 0.0, None), ordering, cell_map)
