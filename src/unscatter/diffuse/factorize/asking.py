"""Ask the network about a plane: paint it onto the network's canvas, run, and read the answer back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unscatter.diffuse.factorize.canvas import Canvas, tile_weight, tiles
from unscatter.diffuse.factorize.channels import guess_with_lattice, guess_without_lattice, network_channels
from unscatter.diffuse.plane.fold import PlaneLattice
from unscatter.diffuse.plane.scaling import unscale_plane
from unscatter.nouns.arrays import Floats
from unscatter.weights import Network


@dataclass(frozen=True)
class Answer:
    """What the network says of a plane, on its pixels and up to one scale each, (ny, nx)."""

    form_factor: Floats
    short_range_order: Floats


def canvas_pixels(network: Network) -> int:
    """Pixels along an edge of the network's canvas."""
    return int(network.card.record["options"]["network"]["size"])


def ask_network(
    intensity: Floats, network: Network, canvas: Canvas, largest: float, lattice: PlaneLattice | None
) -> Answer:
    """Run the network on one canvas, or on several tiles of half edge at most `largest`, and blend.

    intensity: (ny, nx), NaN where not measured; lattice: in the units of the canvas.
    """
    shape = (intensity.shape[0], intensity.shape[1])
    sums = np.zeros((3, *shape))
    for tile in tiles(canvas, largest):
        painted, measured = tile.paint(intensity)
        if not np.any(painted):
            continue
        answer = ask_tile(painted, measured, tile.x, tile.y, network, lattice)
        window = tile.window(shape, 1)
        weight = np.nan_to_num(tile.read_window(tile_weight(tile.pixels), window), copy=False)
        sums[2][window] += weight
        for total, layer in zip(sums, (answer.form_factor, answer.short_range_order), strict=False):
            read = np.nan_to_num(tile.read_window(layer, window), copy=False)
            read *= weight
            total[window] += read
    blended = sums[:2] / np.maximum(sums[2], 1e-12)
    return Answer(np.clip(blended[0], 0.0, None), np.clip(blended[1], 0.0, None))


def ask_tile(
    intensity: Floats, measured: Floats, x: Floats, y: Floats, network: Network, lattice: PlaneLattice | None
) -> Answer:
    """I_FF and I_SRO of one tile, scaled so that their product explains what is measured in it."""
    batch, seen = intensity[None].astype(np.float32), measured[None].astype(np.float32)
    if lattice is None:
        guess = guess_without_lattice(batch, seen)
    else:
        frequencies = lattice.frequencies[None].astype(np.float32)
        window = np.array([lattice.window], dtype=np.float32)
        columns, rows = (axis[None].astype(np.float32) for axis in (x, y))
        guess = guess_with_lattice(batch, seen, frequencies, window, columns, rows)
    inputs, guesses = network_channels(batch, seen, guess, lattice is not None)
    scaled = np.clip(network(inputs=inputs, guesses=guesses)[0][0].astype(np.float64), -1.0, 1.0)
    form, ordered = unscale_plane(scaled[0], 1.0), unscale_plane(scaled[1], 1.0)
    ordered = ordered / max(float(np.average(ordered, weights=measured)), 1e-9)
    return Answer(form * scale_factor(intensity, form * ordered, measured), ordered)


def scale_factor(intensity: Floats, model: Floats, weight: Floats) -> float:
    """Least-squares factor between a model and what is measured."""
    return float(np.sum(weight * intensity * model) / max(float(np.sum(weight * model**2)), 1e-30))
