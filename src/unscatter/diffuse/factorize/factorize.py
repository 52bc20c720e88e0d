"""Take a measured plane apart: Plane + weights -> I_FF and I_SRO."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np

from unscatter.diffuse.factorize.alternation import combine_with_fold
from unscatter.diffuse.factorize.asking import Answer, ask_network, canvas_pixels, scale_factor
from unscatter.diffuse.factorize.canvas import canvas_with_lattice, canvas_without_lattice, spread_blocks
from unscatter.diffuse.factorize.folding import Grid
from unscatter.diffuse.factorize.lattice.search import find_plane_lattice
from unscatter.diffuse.factorize.lattice.spectrum import average_blocks
from unscatter.diffuse.factorize.lattice.weighing import noise_residual
from unscatter.diffuse.factorize.stationary import combine_without_lattice
from unscatter.diffuse.plane.fold import PlaneLattice, plane_lattice
from unscatter.diffuse.plane.friedel import beam_pixel, fill_from_mates, picture_centre
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.found_lattice import FoundLattice, LatticeCandidate
from unscatter.nouns.plane import Plane
from unscatter.one_thread import one_thread
from unscatter.version import __version__
from unscatter.weights import Network, open_network

#: Where cell and axes are not known: look for the lattice in the picture, or leave all to the network.
LatticeSearch: TypeAlias = Literal["find", "none"]

#: Largest half edge of a tile: in 1/Angstrom with the lattice, in pixels without. What the network was trained on.
LARGEST_TILE_WITH_LATTICE = 8.0
LARGEST_TILE_WITHOUT_LATTICE = 384.0
#: Weight of the factors without a lattice beside those with lattices of which none stands alone: the mean over wrong
#: ones is flat, and what is left of it would be taken for the order.
NONE_OF_THEM = 0.18
#: Pixels of the canvas along the shortest period of a found lattice, at least.
FINEST = 6.0


@one_thread
def factorize(
    plane: Plane,
    weights: str = "factorize-256",
    *,
    lattice: LatticeSearch = "find",
    find_lattice: bool = True,
    pixel: float | None = None,
    saturation: float | None = None,
) -> Components:
    """Take a plane of diffuse scattering apart into I_FF and I_SRO with I_D = I_FF I_SRO, eq. (5).

    With cell and axes, I_SRO is exactly periodic, nowhere negative and has mean 1 over a reciprocal cell, and I_FF
    carries the scale of the input. Without them the lattice is looked for in the picture; where several are believed,
    the results are averages over them. Where none is found, or with lattice="none", I_SRO is made
    of the waves that the plane itself shows, with mean 1 over the plane.

    weights: name of a shipped network or path of one; find_lattice: False is lattice="none". What was found stands in
    `Components.found_lattice`; pixel: edge of a pixel of a picture in 1/Angstrom (Q includes 2 pi), which gives it
    lengths. saturation: measured intensities from here on are only known to be at least this; they take no part, and
    stay in the plane for a refinement.
    Negative intensities are noise and are used as they are. Gaps whose mates at -Q were measured are filled with them
    first, where the plane goes through Q = 0 or a picture is centred in its middle.

    Raises ValueError for a plane on which nothing, or nothing above zero, was measured, and FileNotFoundError for
    weights that are not there.
    """
    started = time.perf_counter()
    whole, plane = plane, _below(plane, saturation)
    check_plane(plane)
    seen, centre = plane.coverage, _centre(plane)
    if centre is not None:
        plane = replace(plane, intensity=fill_from_mates(plane.intensity, centre))
    network = open_network(weights)
    known = plane_lattice(plane.axes) if plane.axes is not None and plane.cell is not None else None
    found = None
    if known is not None:
        answer = _with_known_lattice(plane, network, known)
    else:
        answer = _without_lattice(plane, network)
        # A plane whose cell and axes hold no two translations has none to be found.
        lattice = lattice if find_lattice else "none"
        if lattice == "find" and not plane.lattice_known:
            found = find_plane_lattice(plane.intensity, answer, None if pixel is None else (pixel, pixel))
        if found is not None:
            found = replace(found, centre=centre)
            answer = _with_found_lattice(plane, network, found, answer)
    provenance = {
        "program": "unscatter",
        "version": __version__,
        **network.provenance,
        "recipes": [recipe["name"] for recipe in network.card.record["recipes"]],
        **_lattice_record(plane, known, found, lattice),
        **({} if saturation is None else {"saturation": saturation}),
        **({} if plane.coverage == seen else {"from_mates": plane.coverage - seen}),
        "seconds": round(time.perf_counter() - started, 3),
    }
    return Components(whole, answer.form_factor, answer.short_range_order, provenance)


def _below(plane: Plane, saturation: float | None) -> Plane:
    """The plane without saturated pixels."""
    if saturation is None:
        return plane
    return replace(plane, intensity=np.where(plane.intensity >= saturation, np.nan, plane.intensity))


def _centre(plane: Plane) -> tuple[float, float] | None:
    """The pixel (x, y) about which Friedel's law holds: Q = 0 by the axes, or where a picture shows it."""
    if plane.axes is not None and plane.cell is not None:
        return beam_pixel(plane.axes, plane.cell)
    return picture_centre(plane.intensity, noise_residual(_measured(plane), plane.measured))


def _lattice_record(
    plane: Plane, known: PlaneLattice | None, found: FoundLattice | None, lattice: LatticeSearch
) -> dict[str, Any]:
    """What was known of the lattice, for the provenance."""
    if found is not None:
        return {"lattice": "found", "found_lattice": found.record()}
    if known is not None:
        return {"lattice": "known"}
    if plane.lattice_known:
        return {"lattice": "aperiodic"}
    return {"lattice": "not found" if lattice == "find" else "not looked for"}


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


def _measured(plane: Plane) -> Floats:
    """The intensity, zero where not measured."""
    return np.where(plane.measured, plane.intensity, 0.0)


def _with_known_lattice(plane: Plane, network: Network, lattice: PlaneLattice) -> Answer:
    """The network in the Cartesian frame of the crystal, then the fold in the plane's own axes."""
    assert plane.axes is not None
    assert plane.cell is not None
    canvas = canvas_with_lattice(plane.axes, plane.cell, canvas_pixels(network))
    assert canvas.axes is not None
    on_canvas = plane_lattice(canvas.axes)
    answer = ask_network(plane.intensity, network, canvas, LARGEST_TILE_WITH_LATTICE, on_canvas)
    units = np.stack([plane.axes.u, plane.axes.v]) @ plane.cell.reciprocal
    grid = Grid(plane.axes.x, plane.axes.y, lattice, units @ units.T)
    return combine_with_fold(_measured(plane), plane.measured, grid, answer)


def _without_lattice(plane: Plane, network: Network) -> Answer:
    """The network, then the factors in turn, by what tells them apart without a lattice.

    A plane on which a pixel of a tile is two of its own or more is averaged first: the network sees no finer.
    """
    pixels = canvas_pixels(network)
    half = min((max(plane.intensity.shape) - 1) / 2, LARGEST_TILE_WITHOUT_LATTICE)
    factor = max(1, int(2 * half / (pixels - 1)))
    averaged = average_blocks(plane.intensity, factor)
    canvas = canvas_without_lattice(averaged.shape, pixels)
    first = ask_network(averaged, network, canvas, LARGEST_TILE_WITHOUT_LATTICE / factor, None)
    answer = combine_without_lattice(averaged, first)
    if factor > 1:
        form, ordered = (
            np.clip(spread_blocks(part, factor, plane.intensity.shape), 0.0, None)
            for part in (answer.form_factor, answer.short_range_order)
        )
        answer = Answer(form, ordered)
    ordered = answer.short_range_order / max(float(answer.short_range_order.mean()), 1e-12)
    scale = scale_factor(_measured(plane), answer.form_factor * ordered, plane.measured.astype(np.float64))
    return Answer(answer.form_factor * scale, ordered)


def _with_found_lattice(plane: Plane, network: Network, found: FoundLattice, blind: Answer) -> Answer:
    """One lattice where it stands alone; else the mean over those that are believed, and over none of them."""
    believed = found.candidates[:1] if found.alone else found.candidates
    answers = [_with_candidate(plane, network, each, blind) for each in believed]
    weights = [each.weight for each in believed]
    if not found.alone:
        answers.append(blind)
        weights.append(NONE_OF_THEM * sum(weights))
    form, ordered = (
        np.average([getattr(answer, name) for answer in answers], axis=0, weights=weights)
        for name in ("form_factor", "short_range_order")
    )
    return Answer(form, ordered)


def _with_candidate(plane: Plane, network: Network, candidate: LatticeCandidate, blind: Answer) -> Answer:
    """The network and the fold in pixels of the plane; streaks go on from what the network says without a lattice."""
    y, x = (np.arange(n, dtype=np.float64) for n in plane.intensity.shape)
    lattice = PlaneLattice(candidate.translations, None, candidate.one_dimensional)
    if candidate.one_dimensional:
        return combine_with_fold(_measured(plane), plane.measured, Grid(x, y, lattice), blind)
    canvas = canvas_without_lattice(plane.intensity.shape, canvas_pixels(network))
    shortest = float(np.linalg.norm(lattice.translations, axis=1).min())
    largest = canvas.pixels / 2 * max(1.0, shortest / FINEST)
    answer = ask_network(plane.intensity, network, canvas, largest, lattice)
    return combine_with_fold(_measured(plane), plane.measured, Grid(x, y, lattice), answer)
