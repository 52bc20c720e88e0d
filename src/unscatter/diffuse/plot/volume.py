"""A picture of a volume that was taken apart: two of its planes, as measured and as factors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from unscatter.diffuse.plot.components import draw_intensity
from unscatter.nouns.arrays import Floats
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.volume_components import VolumeComponents


def plot_volume(components: VolumeComponents) -> Figure:
    """Six panels: I_D, I_FF and I_SRO on the layer nearest l = 0 above, on the plane nearest k = 0 below."""
    volume = components.volume
    figure = Figure(figsize=(13.2, 8.4))
    places = {"left": 0.05, "right": 0.94, "bottom": 0.06, "top": 0.9, "wspace": 0.36, "hspace": 0.24}
    panels = figure.subplots(2, 3, gridspec_kw=places)
    for row, (axes, planes) in enumerate((_layer(components), _upright(components))):
        measured, form, order = planes
        plane = Plane(measured, axes, volume.cell)
        top = float(np.nanpercentile(measured, 99.7)) if np.any(np.isfinite(measured)) else 1.0
        draw_intensity(panels[row, 0], measured, plane, f"measured  $I_D$, {axes.name()}", top)
        draw_intensity(panels[row, 1], form, plane, "form factor  $I_{FF}$", float(np.percentile(form, 99.9)))
        draw_intensity(panels[row, 2], order, plane, "short-range order  $I_{SRO}$", float(np.percentile(order, 99.9)))
    title = volume.title or Path(volume.source).name
    simulated = volume.simulated and "simulated" not in title.lower()
    figure.suptitle(title + " (simulated)" * simulated, fontsize=13, y=0.97)
    return figure


def _layer(components: VolumeComponents) -> tuple[PlaneAxes, tuple[Floats, Floats, Floats]]:
    volume = components.volume
    n = int(np.argmin(np.abs(volume.l)))
    layers = slice(n, n + 1)
    axes = PlaneAxes(volume.l[n] * volume.basis[2], volume.basis[0], volume.basis[1], volume.h, volume.k)
    measured = np.asarray(volume.intensity[layers, :, :], dtype=np.float64)
    return axes, (measured[0], components.form_factor(layers)[0], components.short_range_order(layers)[0])


def _upright(components: VolumeComponents) -> tuple[PlaneAxes, tuple[Floats, Floats, Floats]]:
    volume = components.volume
    n = int(np.argmin(np.abs(volume.k)))
    axes = PlaneAxes(volume.k[n] * volume.basis[1], volume.basis[0], volume.basis[2], volume.h, volume.l)
    measured = np.asarray(volume.intensity[:, n : n + 1, :], dtype=np.float64)[:, 0]
    form, order = (np.empty_like(measured) for _ in range(2))
    for layer in range(volume.l.size):
        form[layer] = components.form_factor(slice(layer, layer + 1))[0, n]
        order[layer] = components.short_range_order(slice(layer, layer + 1))[0, n]
    return axes, (measured, form, order)
