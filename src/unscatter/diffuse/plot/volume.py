"""A picture of a volume that was taken apart: two of its planes, as measured and as factors."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from unscatter.diffuse.plot.components import draw_intensity
from unscatter.diffuse.plot.headings import draw_heading, heading
from unscatter.diffuse.suitability.volumes import planes_of_volume
from unscatter.nouns.volume_components import VolumeComponents


def plot_volume(components: VolumeComponents) -> Figure:
    """Six panels: I_D, I_FF and I_SRO on the layer nearest l = 0 above, on the plane nearest k = 0 below."""
    figure = Figure(figsize=(13.2, 8.8))
    places = {"left": 0.05, "right": 0.94, "bottom": 0.06, "top": 0.86, "wspace": 0.44, "hspace": 0.26}
    panels = figure.subplots(2, 3, gridspec_kw=places)
    both = planes_of_volume(components)
    for row, one in zip(panels, both, strict=True):
        plane, form, order = one.plane, one.form_factor, one.short_range_order
        assert plane.axes is not None
        seen = plane.intensity[plane.measured]
        top = float(np.percentile(seen, 99.7)) if seen.size else 1.0
        draw_intensity(row[0], plane.intensity, plane, f"measured  $I_D$, {plane.axes.name()}", top)
        draw_intensity(row[1], form, plane, "form factor  $I_{FF}$", float(np.percentile(form, 99.9)))
        draw_intensity(row[2], order, plane, "short-range order  $I_{SRO}$", float(np.percentile(order, 99.9)))
    draw_heading(figure, heading(both[0].plane), components.findings)
    return figure
