"""Is the crystal suitable? What two planes of a volume that was taken apart tell."""

from __future__ import annotations

import numpy as np

from unscatter.diffuse.suitability import assess_suitability
from unscatter.nouns.arrays import Floats
from unscatter.nouns.components import Components
from unscatter.nouns.findings import Finding, Findings
from unscatter.nouns.plane import Plane, PlaneAxes
from unscatter.nouns.volume_components import VolumeComponents

_RANKS = ("good", "not tested", "fair", "poor")


def assess_volume(components: VolumeComponents) -> Findings:
    """Assess the two planes of `planes_of_volume`; of every check the worse finding counts, with the name of its plane.

    Without a measured voxel on either plane there is no finding.
    """
    found: dict[str, Finding] = {}
    caveat = ""
    for plane in planes_of_volume(components):
        if not np.any(plane.plane.intensity[plane.plane.measured] > 0) or plane.plane.axes is None:
            continue
        findings = assess_suitability(plane, images=False)
        caveat = findings.caveat
        for one in findings:
            named = Finding(one.name, one.value, *one.limits, f"{plane.plane.axes.name()}: {one.sentence}")
            before = found.get(one.name)
            if before is None or _RANKS.index(named.verdict) > _RANKS.index(before.verdict):
                found[one.name] = named
    return Findings(tuple(found.values()), "suitability", caveat)


def planes_of_volume(components: VolumeComponents) -> tuple[Components, Components]:
    """Return the layer nearest l = 0 and the plane nearest k = 0, as measured and as factors."""
    return _layer(components), _upright(components)


def _layer(components: VolumeComponents) -> Components:
    volume = components.volume
    n = int(np.argmin(np.abs(volume.l)))
    layers = slice(n, n + 1)
    axes = PlaneAxes(volume.l[n] * volume.basis[2], volume.basis[0], volume.basis[1], volume.h, volume.k)
    measured = np.asarray(volume.intensity[layers, :, :], dtype=np.float64)[0]
    factors = components.form_factor(layers)[0], components.short_range_order(layers)[0]
    return Components(_plane(components, measured, axes), *factors)


def _upright(components: VolumeComponents) -> Components:
    volume = components.volume
    n = int(np.argmin(np.abs(volume.k)))
    axes = PlaneAxes(volume.k[n] * volume.basis[1], volume.basis[0], volume.basis[2], volume.h, volume.l)
    measured = np.asarray(volume.intensity[:, n : n + 1, :], dtype=np.float64)[:, 0]
    form, order = (np.empty_like(measured) for _ in range(2))
    for layer in range(volume.l.size):
        form[layer] = components.form_factor(slice(layer, layer + 1))[0, n]
        order[layer] = components.short_range_order(slice(layer, layer + 1))[0, n]
    return Components(_plane(components, measured, axes), form, order)


def _plane(components: VolumeComponents, measured: Floats, axes: PlaneAxes) -> Plane:
    volume = components.volume
    return Plane(measured, axes, volume.cell, volume.title, simulated=volume.simulated, source=volume.source)
