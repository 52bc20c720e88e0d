"""I_SRO where no lattice is known: a random field that is alike everywhere, with the waves that the data show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from unscatter.diffuse.factorize.alternation import pixel_trust, pixel_variance
from unscatter.diffuse.factorize.asking import Answer, scale_factor
from unscatter.diffuse.factorize.smooth_form import Field, smooth_form
from unscatter.nouns.arrays import Floats, Mask

#: Rounds of I_SRO given I_FF and I_FF given I_SRO: more, and spectra of noise are believed.
ROUNDS = 3
#: Steps of conjugate gradients for I_SRO.
STEPS = 25
#: Room beside the plane, so that opposite edges do not touch: a share of it.
ROOM = 0.25
#: Standard deviation of the bell that smooths the spectrum, in frequencies of the plane with its room.
BLUR = 0.4
#: Error of I_FF, as a share of itself and of its neighbourhood, where I_SRO is fitted.
FORM_ERROR = 0.1
#: I_SRO below which pixels are no more certain, where I_SRO and where I_FF is fitted: what lies between sharp spots.
LEAST_FOR_ORDER, LEAST_FOR_FORM = 1.0, 0.3
#: A residual of so many spreads halves the weight of a pixel; wide, as the first model may be far off.
TRUST = 12.0
#: Neighbourhood of I_FF, as a share of the plane.
AROUND = 0.08
#: Share of the power of the network's I_SRO in waves longer than usual above which its periods are long.
LONG = 0.3


@dataclass(frozen=True)
class Parting:
    """What tells the factors apart: least waves of I_SRO along the longer edge, and finest fringes of I_FF on it."""

    waves: float
    finest: float


USUAL, LONG_PERIODS = Parting(5.0, 0.078), Parting(2.5, 0.22)


def combine_without_lattice(intensity: Floats, answer: Answer) -> Answer:
    """Fit I_FF and I_SRO to the data in turn: one is no finer than a molecule makes, the other has few waves.

    intensity: (ny, nx), NaN where not measured. What repeats shows as spikes in the power spectrum of I_SRO, which is
    taken for its prior (empirical Bayes): strong waves run on through gaps and noise, all else comes to nothing. I_SRO
    has mean 1 over the plane.
    """
    measured = np.isfinite(intensity)
    values = np.where(measured, intensity, 0.0)
    form, ordered = answer.form_factor, _of_mean_one(answer.short_range_order)
    rows, columns = shape = (intensity.shape[0], intensity.shape[1])
    padded = (_with_room(rows), _with_room(columns))
    power, waves = _spectrum(ordered, padded), _waves(shape, padded)
    parting = _parting(power, waves)
    finest = parting.finest * (max(shape) - 1)
    series = smooth_form(form, (AROUND * columns, AROUND * rows), (1.0, 1.0), np.eye(2), finest)
    white: Floats | None = None
    for _ in range(ROUNDS):
        weight = measured * _order_weight(values, measured, Answer(form, ordered), series.around)
        power = np.where(waves >= parting.waves, power, 0.0)
        ordered, power = _fit_order(Field(shape, padded, _amplitudes(power)), values / _no_zero(form), weight)
        weight = measured * _form_weight(values, measured, Answer(form, ordered))
        form, white = series.fit(values, weight, ordered, white)
    ordered = _of_mean_one(ordered)
    return Answer(form * scale_factor(values, form * ordered, measured.astype(np.float64)), ordered)


def _with_room(pixels: int) -> int:
    return int(fft.next_fast_len(int(pixels * (1 + ROOM)), real=True))


def _of_mean_one(ordered: Floats) -> Floats:
    return np.asarray(ordered / max(float(ordered.mean()), 1e-12))


def _no_zero(form: Floats) -> Floats:
    return np.maximum(form, 1e-6 * float(form.max()))


def _spectrum(ordered: Floats, padded: tuple[int, int]) -> Floats:
    """Power spectrum of a first I_SRO, (rows, columns / 2 + 1) of the padded plane."""
    taper = np.outer(*(np.hanning(n + 2)[1:-1] for n in ordered.shape))
    return _smooth(np.abs(fft.rfft2((ordered - 1) * taper, s=padded)) ** 2 / np.sum(taper**2))


def _smooth(power: Floats) -> Floats:
    return np.asarray(ndimage.gaussian_filter(power, BLUR, mode=("wrap", "reflect"), truncate=3))


def _waves(shape: tuple[int, int], padded: tuple[int, int]) -> Floats:
    """Number of waves along the longer edge of the plane, of each frequency of the padded one."""
    return np.asarray(max(shape) * np.hypot(fft.fftfreq(padded[0])[:, None], fft.rfftfreq(padded[1])[None, :]))


def _parting(power: Floats, waves: Floats) -> Parting:
    """Where periods are long the network shows it: next to nothing of its I_SRO is slow elsewhere."""
    slow = power[waves < USUAL.waves].sum() / max(float(power.sum()), 1e-30)
    return LONG_PERIODS if slow > LONG else USUAL


def _order_weight(values: Floats, measured: Mask, now: Answer, around: Floats) -> Floats:
    """One over the variance of I / I_FF: of counting, and of an I_FF that is wrong by a share of its neighbourhood."""
    form, least = now.form_factor, np.maximum(now.short_range_order, LEAST_FOR_ORDER)
    made = form * now.short_range_order
    variance = pixel_variance(values, made, form * least + 1e-3 * float(form.max()), measured)
    variance += (FORM_ERROR * least * (form + around)) ** 2
    return np.asarray(pixel_trust(values, made, measured, TRUST) * form**2 / variance)


def _form_weight(values: Floats, measured: Mask, now: Answer) -> Floats:
    """One over the variance of I."""
    form = now.form_factor
    made = form * now.short_range_order
    model = form * np.maximum(now.short_range_order, LEAST_FOR_FORM) + 1e-3 * float(form.max())
    return np.asarray(pixel_trust(values, made, measured, TRUST) / pixel_variance(values, made, model, measured))


def _amplitudes(power: Floats) -> NDArray[np.float32]:
    """Amplitudes of a spectrum; half the precision is enough for what is believed to a per cent, in half the time."""
    return np.sqrt(power + 1e-8 * float(power.max())).astype(np.float32)


def _fit_order(field: Field, divided: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """I_SRO of a spectrum, most probable given I / I_FF and its weight, and the spectrum that it has itself.

    The latter is the expected power: that of the most probable field, and what is left open (one step of
    expectation and maximization, with one weight for all waves).
    """
    normal = weight.astype(np.float32)
    right = field.adjoint(normal * (divided - 1).astype(np.float32))
    white = field.solve(normal, right, np.zeros(field.padded, dtype=np.float32), STEPS)
    waves, power, pixels = fft.rfft2(white) * field.root, field.root.astype(np.float64) ** 2, white.size
    rows, columns = field.shape
    found = 1 + fft.irfft2(waves, s=field.padded)[:rows, :columns].astype(np.float64)
    expected = np.abs(waves.astype(np.complex128)) ** 2 / pixels + power / (1 + power * float(weight.sum()) / pixels)
    return np.clip(found, 0.0, None), _smooth(expected)
