"""Take a measured plane apart: Plane + weights -> I_FF and I_SRO."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unscatter.diffuse.factorize.canvas import Canvas, canvas_with_lattice, canvas_without_lattice, tile_weight, tiles
from unscatter.diffuse.factorize.channels import guess_with_lattice, guess_without_lattice, network_channels
from unscatter.diffuse.factorize.lattice import FoundLattice, find_plane_lattice
from unscatter.diffuse.plane.fold import CellMap, PlaneLattice, fit_waves, local_gain, plane_lattice
from unscatter.diffuse.plane.scaling import unscale_plane
from unscatter.nouns.cell import Cell
from unscatter.nouns.components import Components
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.version import __version__
from unscatter.weights import Network, open_network

Floats = NDArray[np.float64]

#: Largest half edge of a tile: in 1/Angstrom with the lattice, in pixels without. What the network was trained on.
LARGEST_TILE_WITH_LATTICE = 8.0
LARGEST_TILE_WITHOUT_LATTICE = 384.0
#: Width, in reciprocal cells, over which I_FF follows the data.
GAIN_WIDTH = 0.25
#: I_SRO below which I_FF is not divided out of the data.
LEAST_ORDER = 0.02
#: A residual of so many spreads halves the weight of a pixel.
TRUST = 4.0
#: Highest harmonic of the fold, however fine the pixels are.
HIGHEST_ORDER = 12


@dataclass(frozen=True)
class _Answer:
    """What the network says of a plane, on its pixels and up to one scale each."""

    form_factor: Floats
    short_range_order: Floats


def factorize(
    plane: Plane, weights: str = "factorize-256", *, find_lattice: bool = False, saturation: float | None = None
) -> Components:
    """Take a plane of diffuse scattering apart into I_FF and I_SRO with I_D = I_FF I_SRO, eq. (5).

    With cell and axes, I_SRO is exactly periodic, nowhere negative and has mean 1 over a reciprocal cell, and I_FF
    carries the scale of the input. Without them both come from the network alone, I_SRO with mean 1 over the plane.

    weights: name of a shipped network or path of one; find_lattice: where cell and axes are not known, look for the
    periods of I_SRO in the picture and go on as if they were; the translations stand in the provenance.
    saturation: measured intensities from here on are only known to be at least this; they take no part, and stay in the
    plane for a refinement. Negative intensities are noise and are used as they are.

    Raises ValueError for a plane on which nothing, or nothing above zero, was measured, and FileNotFoundError for
    weights that are not there.
    """
    started = time.perf_counter()
    whole, plane = plane, _below(plane, saturation)
    check_plane(plane)
    network = open_network(weights)
    found = find_plane_lattice(plane.intensity, plane.measured) if find_lattice and not plane.lattice_known else None
    given = plane if found is None else _with_lattice(plane, found.lattice)
    lattice = plane_lattice(given.axes) if given.axes is not None and given.cell is not None else None
    answer = _ask_network(given, network, lattice)
    if lattice is None or given.axes is None:
        form, ordered = _scale_to_data(given, answer)
    else:
        form, ordered = _combine_with_fold(given, given.axes, lattice, answer)
    provenance = {
        "program": "unscatter",
        "version": __version__,
        **network.provenance,
        "recipes": [recipe["name"] for recipe in network.card.record["recipes"]],
        **_lattice_record(plane, lattice, found),
        **({} if saturation is None else {"saturation": saturation}),
        "seconds": round(time.perf_counter() - started, 3),
    }
    return Components(whole, form, ordered, provenance)


def _below(plane: Plane, saturation: float | None) -> Plane:
    """The plane without saturated pixels."""
    if saturation is None:
        return plane
    return replace(plane, intensity=np.where(plane.intensity >= saturation, np.nan, plane.intensity))


def _with_lattice(plane: Plane, lattice: PlaneLattice) -> Plane:
    """The same pixels as part of a reciprocal lattice with the given translations (in pixels), centred on nothing.

    How long a pixel is in 1/Angstrom is not known; the whole plane is taken to fill what the network was trained on.
    """
    translations = lattice.translations
    per_pixel = np.linalg.inv(translations)
    y, x = (np.arange(n) - (n - 1) / 2 for n in plane.intensity.shape)
    # A level that is neither whole nor half: then the plane has no centre of inversion.
    level = np.array([0.0, 0.0, 0.25])
    u, v = (np.array([*row, 0.0]) for row in per_pixel)
    half_edge = max(plane.intensity.shape) / 2
    edges = 2 * np.pi * per_pixel.T * half_edge / LARGEST_TILE_WITH_LATTICE
    a, b = np.linalg.norm(edges, axis=1)
    gamma = float(np.degrees(np.arccos(edges[0] @ edges[1] / (a * b))))
    return replace(plane, axes=PlaneAxes(level, u, v, x, y), cell=Cell(float(a), float(b), 10.0, 90.0, 90.0, gamma))


def _lattice_record(plane: Plane, lattice: PlaneLattice | None, found: FoundLattice | None) -> dict[str, Any]:
    """What was known of the lattice, for the provenance."""
    if found is not None:
        return {
            "lattice": "found",
            "lattice_translations": found.lattice.translations.round(4).tolist(),
            "lattice_confidence": round(found.confidence, 2),
        }
    if lattice is not None:
        return {"lattice": "known"}
    return {"lattice": "aperiodic" if plane.lattice_known else "not known"}


def check_plane(plane: Plane) -> None:
    """Refuse what cannot be taken apart, with a ValueError that says what was seen and what to do."""
    intensity = plane.intensity[plane.measured]
    name = plane.source or "the plane"
    if not intensity.size:
        raise ValueError(f"{name}: no pixel was measured (all NaN or masked); check --mask and the data set")
    if not np.any(intensity):
        raise ValueError(f"{name}: every measured intensity is zero; check the data set and the plane")
    if intensity.mean() <= 0:
        raise ValueError(
            f"{name}: {np.sum(intensity < 0)} of {intensity.size} intensities are negative, and so is their mean "
            f"({intensity.mean():.4g}); too much background was subtracted: add --negative clip or --negative shift"
        )


def _ask_network(plane: Plane, network: Network, lattice: PlaneLattice | None) -> _Answer:
    """Run the network on one canvas or several tiles, and blend."""
    pixels = int(network.card.record["options"]["network"]["size"])
    if lattice is not None and plane.axes is not None and plane.cell is not None:
        whole = canvas_with_lattice(plane.axes, plane.cell, pixels)
        largest = LARGEST_TILE_WITH_LATTICE
    else:
        whole = canvas_without_lattice(plane.intensity.shape, pixels)
        largest = LARGEST_TILE_WITHOUT_LATTICE
    known = lattice is not None
    sums = np.zeros((3, *plane.intensity.shape))
    for tile in tiles(whole, largest):
        intensity, measured = tile.paint(plane.intensity)
        if not np.any(intensity):
            continue
        form, ordered = _ask_tile(tile, intensity, measured, network, known)
        weight = tile.read_back(tile_weight(pixels), plane.intensity.shape)
        inside = np.isfinite(weight)
        layers = [
            tile.read_back(form, weight.shape),
            tile.read_back(ordered, weight.shape),
            np.ones(weight.shape),
        ]
        for total, layer in zip(sums, layers, strict=True):
            total[inside] += (weight * layer)[inside]
    blended = sums[:2] / np.maximum(sums[2], 1e-12)
    return _Answer(np.clip(blended[0], 0.0, None), np.clip(blended[1], 0.0, None))


def _ask_tile(
    tile: Canvas, intensity: Floats, measured: Floats, network: Network, lattice_known: bool
) -> tuple[Floats, Floats]:
    """I_FF and I_SRO of one tile, scaled so that their product explains what is measured in it."""
    batch, seen = intensity[None].astype(np.float32), measured[None].astype(np.float32)
    axes = tile.axes
    lattice = plane_lattice(axes) if axes is not None and lattice_known else None
    if axes is not None and lattice is not None:
        frequencies = lattice.frequencies[None].astype(np.float32)
        window = np.array([lattice.window], dtype=np.float32)
        x, y = (axis[None].astype(np.float32) for axis in (axes.x, axes.y))
        guess = guess_with_lattice(batch, seen, frequencies, window, x, y)
    else:
        guess = guess_without_lattice(batch, seen)
    inputs, guesses = network_channels(batch, seen, guess, lattice is not None)
    scaled = np.clip(network(inputs=inputs, guesses=guesses)[0][0].astype(np.float64), -1.0, 1.0)
    form, ordered = unscale_plane(scaled[0], 1.0), unscale_plane(scaled[1], 1.0)
    ordered = ordered / max(float(np.average(ordered, weights=measured)), 1e-9)
    return form * _scale_factor(intensity, form * ordered, measured), ordered


def _scale_factor(intensity: Floats, model: Floats, weight: Floats) -> float:
    """Least-squares factor between a model and what is measured."""
    return float(np.sum(weight * intensity * model) / max(float(np.sum(weight * model**2)), 1e-30))


def _scale_to_data(plane: Plane, answer: _Answer) -> tuple[Floats, Floats]:
    measured = plane.measured.astype(np.float64)
    intensity = np.where(plane.measured, plane.intensity, 0.0)
    ordered = answer.short_range_order / max(float(answer.short_range_order.mean()), 1e-12)
    return answer.form_factor * _scale_factor(intensity, answer.form_factor * ordered, measured), ordered


def _combine_with_fold(plane: Plane, axes: PlaneAxes, lattice: PlaneLattice, answer: _Answer) -> tuple[Floats, Floats]:
    """From the network's factors to the data's: a periodic I_SRO given I_FF, then I_FF given I_SRO."""
    measured = plane.measured.astype(np.float64)
    intensity = np.where(plane.measured, plane.intensity, 0.0)
    form, ordered = answer.form_factor, answer.short_range_order
    width = (GAIN_WIDTH * lattice.window[0], GAIN_WIDTH * lattice.window[1])
    trusted = measured * _trust(intensity, form * ordered, plane.measured)
    ordered = _fit_order(intensity, trusted, form, ordered, axes, lattice)
    trusted = measured * _trust(intensity, form * ordered, plane.measured)
    # Where I_SRO vanishes the data say nothing of I_FF: without a floor any noise there would make it endless.
    explained = form * np.maximum(ordered, LEAST_ORDER)
    gain = local_gain(intensity, explained, trusted, axes.x, axes.y, width)
    form = form * np.clip(gain, 0.0, None)
    return form * _scale_factor(intensity, form * ordered, measured), ordered


def _trust(intensity: Floats, model: Floats, measured: NDArray[np.bool_]) -> Floats:
    """Weight of each pixel, near 1 within the scatter of the rest and small far outside: Bragg residue, hot pixels.

    Cauchy's weight. The spread has two parts: one grows as the root of the model, as counting does, with a factor
    taken from the median residual; the other is a tenth of the model, for what the model itself does not know.
    """
    root = np.sqrt(model + 1e-3 * model.max())
    counting = 1.4826 * float(np.median(np.abs((intensity - model) / root)[measured]))
    spread = np.hypot(counting * root, 0.1 * model) + 1e-12 * model.max()
    return np.asarray(1 / (1 + ((intensity - model) / (TRUST * spread)) ** 2))


def _fit_order(
    intensity: Floats, measured: Floats, form: Floats, first: Floats, axes: PlaneAxes, lattice: PlaneLattice
) -> Floats:
    """One periodic series for I_SRO from all data, given I_FF; what the data leave open stays as in `first`."""
    form = np.maximum(form, 1e-3 * form.max())
    order, frequencies = fold_order(axes, lattice), lattice.frequencies
    # Where the plane has a centre of inversion, cosines about it are enough.
    centric = lattice.centre is not None
    x, y = (axis - origin for axis, origin in zip((axes.x, axes.y), lattice.centre or (0.0, 0.0), strict=True))
    start = fit_waves(first, np.ones_like(form), frequencies, x, y, order, centric=centric)
    # Counts are uncertain by their root, so I / I_FF deserves a weight of about I_FF.
    series = fit_waves(
        intensity / form,
        measured * form,
        frequencies,
        x,
        y,
        order,
        centric=centric,
        prior=(start.cosine, start.sine),
    )
    return np.asarray(np.clip(series(x, y), 0.0, None) / _cell_mean(series, lattice))


def fold_order(axes: PlaneAxes, lattice: PlaneLattice) -> int:
    """Highest harmonic that the pixels resolve: a little under half the pixels along the shorter translation."""
    steps = np.array([axes.x[1] - axes.x[0], axes.y[1] - axes.y[0]])
    pixels = np.linalg.norm(lattice.translations / steps, axis=1).min()
    return int(np.clip(0.45 * pixels, 2, HIGHEST_ORDER))


def _cell_mean(series: CellMap, lattice: PlaneLattice, grid: int = 96) -> float:
    """Mean over one reciprocal cell of the series with its negative part clipped away."""
    phase = np.arange(grid) / grid
    # In units of the translations the waves are whole numbers and the cell is a square.
    harmonics = np.stack([series.frequency_x, series.frequency_y], axis=-1) @ lattice.translations.T
    unit = CellMap(series.cosine, series.sine, harmonics[:, 0], harmonics[:, 1])
    return max(float(np.clip(unit(phase, phase), 0.0, None).mean()), 1e-12)
