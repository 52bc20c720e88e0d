"""What a factorization leaves in I_FF that is not of it: scars along gaps and a ghost of I_SRO."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def scar(form: Floats, true: Floats, measured: Mask) -> float:
    """Curvature of sqrt(I_FF) across the edges of gaps over that of the truth at the same edges: 1 without scars."""
    roots = [np.sqrt(np.clip(image, 0.0, None) / image.mean()) for image in (form, true)]
    bends = [0.0, 0.0]
    for axis in (0, 1):
        edge = np.diff(measured.astype(int), axis=axis) != 0
        edge = np.delete(edge, 0, axis=axis) | np.delete(edge, -1, axis=axis)
        for n, root in enumerate(roots):
            bends[n] += float(np.abs(np.diff(root, n=2, axis=axis))[edge].sum())
    return bends[0] / bends[1] if bends[1] else math.nan


def ghost(form: Floats, true: Floats, translations: Floats, order: Floats) -> float:
    """Power that I_FF has too much at the waves of I_SRO: that of its error there over what I_SRO itself has, in root.

    Amplitudes of (I_FF - truth) / mean at the lattice's frequencies up to the third, over those of I_SRO.
    """
    down, along = (np.arange(n) for n in form.shape)
    window = np.outer(*(np.hanning(n) for n in form.shape))
    waves = [(m, n) for m in range(-3, 4) for n in range(-3, 4) if (m, n) > (0, 0)]
    frequency = np.array(waves) @ np.linalg.inv(translations).T
    x, y = (np.exp(-2j * np.pi * np.outer(f, place)) for f, place in zip(frequency.T, (along, down), strict=True))

    def power(image: Floats) -> float:
        image = (image - np.average(image, weights=window)) * window
        return float(np.sum(np.abs(np.sum((y @ image) * x, axis=1)) ** 2))

    return math.sqrt(power(form / form.mean() - true / true.mean()) / power(order))
