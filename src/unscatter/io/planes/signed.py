"""Negative intensities: noise once a background was subtracted, or a sign that something is wrong.

Noise has as much below as above what is true, and what is true is not negative: neighbours of a negative pixel average
to zero or more, within what noise allows, and no value stands out by how often it occurs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from unscatter.io.planes.asked import Negative
from unscatter.nouns.arrays import Floats

#: A value that this share of the negative pixels have, and of all, is no noise.
_OFTEN, _AT_ALL = 0.2, 0.002
#: Edge of the window over which noise has to average out, and how far below zero its mean may lie, in its own s.u.
_WINDOW, _ALLOWED = 7, 5.0
#: Single pixels so many sigma below zero are broken; the share of these, and of low windows, that is forgiven.
_DEEP, _EXCEPTIONS = 10.0, 0.01


def settle_negative(intensity: Floats, negative: Negative, source: str) -> tuple[Floats, tuple[str, ...]]:
    """Keep, clip, shift or refuse negative intensities, and what to say of it.

    intensity: (ny, nx), NaN = not measured. "auto" keeps them where they look like noise and raises ValueError with
    what would help where they do not; "keep" never raises.
    """
    below = intensity < 0
    count, total = int(below.sum()), int(np.isfinite(intensity).sum())
    if not count:
        return intensity, ()
    share = f"{100 * count / total:.3g} % of the measured pixels are negative, down to {np.nanmin(intensity):.4g}"
    if negative == "clip":
        return np.where(below, 0.0, intensity), (f"{share}: set to zero",)
    if negative == "shift":
        return intensity - np.nanmin(intensity), (f"{share}: all were raised by that",)
    fault = "" if negative == "keep" else _fault(intensity, below)
    if fault or negative == "refuse":
        raise ValueError(f"{source}: {share}; {fault or _ADVICE}")
    told = f"{share}: kept, as noise of a subtracted background (--negative clip or shift overrules)"
    broken = np.zeros_like(below) if negative == "keep" else _deep(intensity, _noise(intensity)[0])
    if not broken.any():
        return intensity, (told,)
    words = f"{int(broken.sum())} pixels lie more than {_DEEP:.0f} times the noise below zero: not measured"
    return np.where(broken, np.nan, intensity), (told, words)


_ADVICE = "--negative keep (as noise), clip (set to zero) or shift (raise all until the lowest is zero)"


def _fault(intensity: Floats, below: NDArray[np.bool_]) -> str:
    """What speaks against noise and what to type; empty if nothing does."""
    values, often = np.unique(intensity[below], return_counts=True)
    total = int(np.isfinite(intensity).sum())
    most = int(np.argmax(often))
    if values[0] == -1 and np.nanmax(intensity) <= 1 and often[0] >= max(_AT_ALL * total, 2):
        return (
            f"all lie between -1 and 1, {100 * often[0] / total:.2g} % at exactly -1, as in planes of the published "
            "network: if they are such, type --values published"
        )
    if often[most] >= max(_OFTEN * below.sum(), _AT_ALL * total, 2) and not _is_step_of_noise(intensity, values[most]):
        return (
            f"{100 * often[most] / total:.2g} % are exactly {values[most]:g}: if that marks what was not measured, "
            f"type --missing {values[most]:g}"
        )
    sigma, mean, error = _noise(intensity)
    low = np.isfinite(intensity) & (mean < -_ALLOWED * error)
    if low.sum() > _EXCEPTIONS * total or _deep(intensity, sigma).sum() > _EXCEPTIONS * total:
        return (
            f"that is more than noise (about {sigma:.3g}) and lies in areas: too much background was subtracted, or "
            "they are no intensities. Type --negative shift (raise all until the lowest is zero), --negative clip (set "
            "to zero), --mask FILE, or --negative keep"
        )
    return ""


def _deep(intensity: Floats, sigma: float) -> NDArray[np.bool_]:
    return np.asarray(intensity < -_DEEP * sigma)


def _is_step_of_noise(intensity: Floats, value: float) -> bool:
    """Whether a frequent negative value is one of a ladder that runs on through zero, as in rounded noise."""
    step = abs(value)
    beside = [int(np.sum(np.abs(intensity - other) < 1e-6 * step)) for other in (value, 0.0, step, 2 * value)]
    return beside[2] > beside[0] / 3 and beside[1] > beside[0] / 3 and beside[3] > beside[0] / 50


def _noise(intensity: Floats) -> tuple[float, Floats, Floats]:
    """Standard deviation of noise where there is least, and the mean around every pixel with its error, (ny, nx)."""
    seen = np.isfinite(intensity)
    share = ndimage.uniform_filter(seen.astype(np.float64), _WINDOW, mode="constant")
    total = ndimage.uniform_filter(np.where(seen, intensity, 0.0), _WINDOW, mode="constant")
    mean = np.where(share > 0.3, total / np.maximum(share, 1e-9), np.inf)
    weak = seen & (mean <= np.quantile(mean[seen], 0.25))
    found = []
    for first, second in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        found.append(np.abs(intensity[first] - intensity[second])[weak[first] & weak[second]])
    differences = np.concatenate(found)
    # The median difference of two normal deviates is 0.954 sigma; rounded noise may well have 0.
    sigma = float(np.median(differences)) / 0.954 if differences.size else 0.0
    sigma = sigma or float(np.sqrt(np.mean(np.clip(differences, 0, None) ** 2) / 2)) if differences.size else 0.0
    return sigma, mean, sigma / np.sqrt(np.maximum(share, 1e-9) * _WINDOW**2)
