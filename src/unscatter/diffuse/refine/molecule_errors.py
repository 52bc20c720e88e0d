"""Errors of the molecules' parameters where residuals of neighbouring pixels are correlated."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from unscatter.diffuse.plane.forward import ScatteringPlane
from unscatter.diffuse.refine.molecule_pixels import Pixels
from unscatter.nouns.arrays import Floats


def correlation_range(pixels: Pixels, residual: Floats, plane: ScatteringPlane) -> tuple[float, float]:
    """Radius in 1/Angstrom and area in pixels over which weighted residuals are correlated.

    The area is the sum of the autocorrelation over a disc, and the radius that of a disc of this area. The summed
    disc is the first that is three such radii wide: wider ones add noise alone. Source: A. Sokal's window for
    autocorrelation times, in two dimensions.
    """
    shape = tuple(2 * n for n in pixels.used.shape)
    field, seen = np.zeros(shape), np.zeros(shape)
    rows, columns = np.nonzero(pixels.used)
    field[rows, columns] = np.sqrt(pixels.weight) * residual
    seen[rows, columns] = 1.0
    pairs, products = (np.fft.irfft2(np.abs(np.fft.rfft2(image)) ** 2, s=shape) for image in (seen, field))
    known = pairs > 0.5 + 1e-3 * len(rows)
    autocorrelation = np.where(known, products / np.maximum(pairs, 1.0), 0.0)
    autocorrelation /= max(float(autocorrelation[0, 0]), 1e-300)
    steps = np.array([(a[1] - a[0]) * np.linalg.norm(v) for a, v in ((plane.y, plane.v), (plane.x, plane.u))])
    lags = [np.minimum(np.arange(n), n - np.arange(n)) * step for n, step in zip(shape, steps, strict=True)]
    distance = np.hypot(lags[0][:, None], lags[1][None, :]).ravel()
    near = np.argsort(distance, kind="stable")
    area = np.maximum(np.cumsum(autocorrelation.ravel()[near]), 1.0)
    radii = np.sqrt(area * steps.prod() / np.pi)
    wide = np.flatnonzero(distance[near] >= 3 * radii)
    place = int(wide[0]) if wide.size else int(np.argmax(area))
    return float(radii[place]), float(area[place])


def covariances(pixels: Pixels, jacobian: Floats, residual: Floats, area: float) -> tuple[Floats, Floats]:
    """Covariance of the parameters for residuals correlated over `area` pixels, and for independent ones.

    H^-1 S H^-1, with H = J W J^T and S the covariance of the sums J W r, in which the products of r in pixels near
    each other count with a Gaussian weight that falls slower than their correlation. Source: T. G. Conley,
    J. Econometrics 92, 1 (1999).
    """
    inverse = np.linalg.pinv((jacobian * pixels.weight) @ jacobian.T, hermitian=True)
    count, parameters = len(residual), len(jacobian)
    plain = inverse * float(pixels.weight @ residual**2) / max(count - parameters, 1)
    # Smoothing by sigma correlates over 2 sigma; the kernel below has twice the width of the correlation.
    width = float(np.sqrt(area / np.pi)) if area > 1.5 else 0.0
    sums = np.empty((parameters, *pixels.used.shape))
    for place, derivative in enumerate(jacobian):
        image = np.zeros(pixels.used.shape)
        image[pixels.used] = derivative * pixels.weight * residual
        sums[place] = gaussian_filter(image, width, mode="constant", truncate=5.0) if width else image
    # The filter has unit sum, a kernel unit height; and of a correlation of half its width it loses a fifth.
    height = 1.25 * 4 * np.pi * width**2 if width else 1.0
    # As for clusters: what the parameters take up shows in so many sums as the kernel fits into the plane.
    clusters = count / height
    spread = height * np.einsum("pij,qij->pq", sums, sums) * clusters / max(clusters - parameters, 1.0)
    robust = inverse @ spread @ inverse
    # Residuals that alternate would make the errors smaller than independent ones: not relied upon.
    growth = np.sqrt(np.maximum(np.diag(robust) / np.maximum(np.diag(plain), 1e-300), 1.0))
    correlation = robust / np.sqrt(np.maximum(np.outer(np.diag(robust), np.diag(robust)), 1e-300))
    errors = np.sqrt(np.diag(plain)) * growth
    return correlation * np.outer(errors, errors), plain
