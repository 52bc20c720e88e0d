"""A pattern made ready to be fitted: weights, a basis for its background, the shape of its lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.interpolate import BSpline

from unscatter.nouns.arrays import Floats
from unscatter.nouns.lines import Lines
from unscatter.nouns.pattern import Pattern
from unscatter.powder.pattern.line_shape import LineShape, shape_of
from unscatter.powder.refine.noise import FLOOR, find_noise

#: Share of the intensity of a line that no profile describes better.
MISFIT = 0.01
#: Degrees between two knots of the background, and knots at least and at most.
KNOT, KNOTS = 10.0, (6, 18)


@dataclass(frozen=True, eq=False)
class Observation:
    """A pattern with what a fit of any lattice needs.

    noise: (n,) standard deviation of counting; misfit: share of the intensity above the background that the profile
    misses; ground: (n, b) basis of the background; shape: of the lines; candidates: (m,) positions in degrees at which
    lines were found, which may be foreign.
    """

    pattern: Pattern
    noise: Floats
    ground: Floats
    shape: LineShape
    candidates: Floats
    under: Floats
    misfit: float = MISFIT
    lines: Lines | None = field(default=None, repr=False)

    @property
    def two_theta(self) -> Floats:
        """Angles in degrees, (n,)."""
        return self.pattern.two_theta

    @property
    def step(self) -> float:
        """Typical step in degrees."""
        return float(np.median(np.diff(self.two_theta)))

    @property
    def blurred(self) -> float:
        """Share of the height of the strongest line that is noise."""
        k = int(np.argmax(self.pattern.intensity - self.under))
        above = max(float(self.pattern.intensity[k] - self.under[k]), 1e-300)
        return float(self.noise[k] / above)

    @cached_property
    def systematic(self) -> float:
        """Share, 0 to 1, of what the profile misses in the variance of the strongest points."""
        strong = self.pattern.intensity > 0.2 * float(self.pattern.intensity.max())
        return float(np.mean(1 - self.noise[strong] ** 2 * self.weight[strong]))

    def up_to(self, two_theta: float) -> Observation:
        """The part of it up to an angle in degrees."""
        n = int(np.searchsorted(self.two_theta, two_theta))
        sigma = None if self.pattern.sigma is None else self.pattern.sigma[:n]
        part = replace(self.pattern, two_theta=self.two_theta[:n], intensity=self.pattern.intensity[:n], sigma=sigma)
        ground = background_basis(part.two_theta)
        return replace(self, pattern=part, noise=self.noise[:n], ground=ground, under=self.under[:n])

    @cached_property
    def weight(self) -> Floats:
        """1 / sigma^2, (n,): counting, and what the profile misses of the lines.

        What a profile misses is alike over a FWHM, so that its points count as one.
        """
        above = np.maximum(self.pattern.intensity - self.under, 0.0)
        return np.asarray(1 / (self.noise**2 + self._points * (self.misfit * above) ** 2))

    @property
    def _points(self) -> Floats:
        """Points a FWHM, (n,), at least one."""
        return np.maximum(self.shape.fwhm(self.two_theta) / self.step, 1.0)

    @property
    def allowance(self) -> float:
        """Nats by which a larger misfit makes every pattern less likely: half of ln(sigma^2 / noise^2), once a FWHM."""
        return float(np.sum(-np.log(self.weight * self.noise**2) / self._points) / 2)

    def with_misfit(self, misfit: float) -> Observation:
        """The same with another share that the profile misses."""
        return replace(self, misfit=misfit)


def observe(pattern: Pattern, lines: Lines, shape: LineShape | None = None) -> Observation:
    """Make a pattern ready for fits, with the lines that were found in it.

    Raises ValueError for a pattern without a line above zero.
    """
    if float(pattern.intensity.max(initial=0.0)) <= 0:
        raise ValueError("no intensity is above zero: there is nothing to fit")
    noise = find_noise(pattern).sigma
    ground = background_basis(pattern.two_theta)
    under = lower_background(pattern, noise)
    return Observation(pattern, noise, ground, shape or shape_of(lines), lines.two_theta, under, lines=lines)


def background_basis(two_theta: Floats) -> Floats:
    """Cubic B-splines (n, b) over the range, a knot about every 10 degrees."""
    first, last = float(two_theta[0]), float(two_theta[-1])
    pieces = int(np.clip(round((last - first) / KNOT), *KNOTS))
    inner = np.linspace(first, last, pieces + 1)
    step = inner[1] - inner[0]
    knots = np.concatenate([first - step * np.arange(3, 0, -1), inner, last + step * np.arange(1, 4)])
    return np.asarray(BSpline.design_matrix(np.clip(two_theta, first, last - 1e-9), knots, 3).toarray())


def lower_background(pattern: Pattern, noise: Floats) -> Floats:
    """A first estimate (n,) of what lies under the lines: low quantiles of stretches, joined by straight lines."""
    x, y = pattern.two_theta, pattern.intensity
    pieces = np.array_split(np.arange(len(x)), max(8, round((x[-1] - x[0]) / 5)))
    middle = np.array([x[piece].mean() for piece in pieces])
    level = np.array([np.quantile(y[piece], 0.15) + 1.04 * np.median(noise[piece]) for piece in pieces])
    if float(np.median(noise)) <= 2 * FLOOR * float(y.max()):
        level = np.array([y[piece].min() for piece in pieces])
    return np.asarray(np.interp(x, middle, level))
