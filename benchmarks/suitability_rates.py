"""How often each finding of the suitability report is fair or poor, on planes that are good or spoiled on purpose.

python benchmarks/suitability_rates.py [--count 98] [--seed 11]

Planes of the validation split, recipe `physical` with a Debye-Waller factor (0 to 0.08 Angstrom^2) and 10 to 1000
counts in an average pixel, factorized with the shipped network. The limits of unscatter.diffuse.suitability were set on
seeds 5 and 9; another seed tests them.
`measured` is the recipe of that name without Bragg residue: background, blur and down to 3 counts.
"""

import argparse
from dataclasses import replace

import numpy as np

from unscatter.diffuse.factorize.factorize import factorize
from unscatter.diffuse.plane.forward import q_squared, scattering_plane
from unscatter.diffuse.samples.artefacts import add_counting_noise, bragg_residue, debye_waller
from unscatter.diffuse.samples.draw import SampleDraw, collate, draw_sample, read_recipe, render
from unscatter.diffuse.suitability import LIMITS, assess_suitability
from unscatter.nouns.plane import Plane

KINDS = ("good", "measured", "noise", "bragg", "size effect", "displacement", "waves", "displacive", "second phase")


def add_displacement(clean, draw: SampleDraw, q2, form, rng):
    """Thermal diffuse scattering, Q^2 / (q^2 + k^2) about Bragg positions, a quarter of the diffuse intensity."""
    hkl, cell = draw.axes.hkl(), draw.cell
    from_node = np.sum(((hkl - np.round(hkl)) @ cell.reciprocal) ** 2, axis=-1)
    width = 0.08 * np.linalg.norm(cell.reciprocal, axis=1).mean()
    extra = np.exp(-0.02 * q2) * q2 / (from_node + width**2)
    return clean + extra * 0.25 * clean.mean() / extra.mean()


def displacive_only(clean, draw: SampleDraw, q2, form, rng):
    """Displacements alone, correlated over a few cells: no order of species, exact for Gaussian displacements.

    I = I_FF exp(-Q^2 s^2) sum_v [exp(Q^2 s^2 r(v)) - 1] cos(Q v) with the correlation r of the displacements of two
    sites along one direction of the plane.
    """
    hkl, cell = draw.axes.hkl(), draw.cell
    Q = hkl @ cell.reciprocal
    basis = np.linalg.qr((np.stack([draw.axes.u, draw.axes.v]) @ cell.reciprocal).T)[0].T
    turn = rng.uniform(0, np.pi)
    along = Q @ (np.cos(turn) * basis[0] + np.sin(turn) * basis[1])
    variance = along**2 * rng.uniform(0.01, 0.04)
    index = np.arange(-4, 5)
    vectors = np.stack(np.meshgrid(index, index, index, indexing="ij"), axis=-1).reshape(-1, 3)
    flat = vectors[np.abs(vectors @ np.round(np.cross(draw.axes.u, draw.axes.v), 6)) < 1e-6]
    decay = rng.uniform(0.8, 2.0) * np.linalg.norm(cell.direct, axis=1).mean()
    sign = rng.choice([-1.0, 1.0])
    total = np.zeros_like(clean)
    for v in flat:
        r = sign ** int(np.abs(v).sum()) * np.exp(-np.linalg.norm(v @ cell.direct) / decay)
        total += (np.exp(variance * r) - 1) * np.cos(2 * np.pi * hkl @ v)
    extra = form * np.exp(-variance) * np.clip(total, 0, None)
    return extra * clean.mean() / extra.mean()


def add_waves(clean, draw: SampleDraw, q2, form, rng):
    """Acoustic waves: sum over two polarisations of (Q . e)^2 / q^2, a quarter of the diffuse intensity."""
    hkl, cell = draw.axes.hkl(), draw.cell
    Q, q = hkl @ cell.reciprocal, (hkl - np.round(hkl)) @ cell.reciprocal
    width = (0.06 * np.linalg.norm(cell.reciprocal, axis=1).mean()) ** 2
    length = np.sum(q**2, axis=-1)
    longitudinal = np.sum(Q * q, axis=-1) ** 2 / (length + width)
    transverse = np.sum(Q**2, axis=-1) - longitudinal
    extra = np.exp(-0.02 * q2) * (longitudinal + 3 * transverse) / (length + width)
    return clean + extra * 0.25 * clean.mean() / extra.mean()


def add_size_effect(clean, draw: SampleDraw, q2, form, rng):
    """Q . v sin(Q v) for the three shortest v, r.m.s. half that of the modulation of I_SRO."""
    hkl, cell = draw.axes.hkl(), draw.cell
    Q = hkl @ cell.reciprocal
    waves = [rng.normal() * (Q @ (v @ cell.direct)) * np.sin(2 * np.pi * hkl @ v) for v in np.eye(3)]
    extra, modulation = form * np.sum(waves, axis=0), clean - clean.mean() * form / form.mean()
    return np.clip(clean + 0.5 * extra * modulation.std() / extra.std(), 0, None)


def add_second_phase(clean, draw: SampleDraw, q2, form, rng):
    """The same order on a lattice turned by 17 degrees and 1/0.79 times as large, 0.4 of the intensity."""
    x, y = np.meshgrid(draw.axes.x, draw.axes.y)
    turn = 0.79 * np.exp(1j * np.radians(17))
    moved = (x + 1j * y) * turn.conjugate()
    w = draw.waves
    ordered = np.zeros_like(clean)
    for c, s, fx, fy in zip(w.cosine, w.sine, w.frequency_x, w.frequency_y, strict=True):
        phase = 2 * np.pi * (fx * moved.real + fy * moved.imag)
        ordered += c * np.cos(phase) + s * np.sin(phase)
    extra = np.rot90(form) * np.clip(ordered, 0, None)
    return clean + extra * 0.4 * clean.mean() / extra.mean()


def add_residue(clean, draw: SampleDraw, q2, form, rng):
    """Gaussians at Bragg positions, twice the mean intensity high on average."""
    width, seed = float(rng.uniform(0.015, 0.04)), int(rng.integers(1_000_000))
    return clean + clean.mean() * bragg_residue(draw.axes.hkl(), 2.0, width, seed)


SPOIL = {
    "bragg": add_residue,
    "size effect": add_size_effect,
    "displacement": add_displacement,
    "waves": add_waves,
    "displacive": displacive_only,
    "second phase": add_second_phase,
}


def simulate(kind: str, seed: int, index: int) -> Plane:
    """One plane: good, or spoiled in one way."""
    recipe = read_recipe("measured" if kind == "measured" else "physical")
    draw = draw_sample(replace(recipe, bragg_residue=0.0), seed, index, "validation")
    sample = render(collate(recipe, [draw]))
    rng = np.random.default_rng([seed, index, 77])
    intensity = sample.intensity[0]
    if kind != "measured":
        q2 = q_squared(scattering_plane(draw.axes, draw.cell))
        form = sample.form_factor[0] * debye_waller(q2, float(rng.uniform(0, 0.08)))
        clean = form * sample.short_range_order[0]
        if kind == "noise":
            clean = np.exp(-float(rng.uniform(0, 0.08)) * q2)
        intensity = SPOIL[kind](clean, draw, q2, form, rng) if kind in SPOIL else clean
        counts = float(np.exp(rng.uniform(np.log(10), np.log(1000))))
        intensity = add_counting_noise(intensity, counts, rng.standard_normal(intensity.shape))
    return Plane(np.where(sample.measured[0], intensity, np.nan), draw.axes, draw.cell, simulated=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=98)
    parser.add_argument("--seed", type=int, default=11)
    given = parser.parse_args()
    print(
        f"share of planes, in percent, whose finding is fair or poor / poor (planes on which it was tested)\n{'':<14}",
        end="",
    )
    print("".join(f"{name:>18}" for name in LIMITS), f"{'no finding poor':>18}")
    for kind in KINDS:
        reports = [
            assess_suitability(factorize(simulate(kind, given.seed, n)), images=False) for n in range(given.count)
        ]
        cells = []
        for name in LIMITS:
            verdicts = [report[name].verdict for report in reports if report[name].verdict != "not tested"]
            worse, poor = (100 * np.mean([v in bad for v in verdicts]) for bad in (("fair", "poor"), ("poor",)))
            cells.append(f"{worse:3.0f} /{poor:3.0f} ({len(verdicts)})")
        fine = 100 * np.mean([report.verdict != "poor" for report in reports])
        print(f"{kind:<14}" + "".join(f"{cell:>18}" for cell in cells), f"{fine:17.0f}%", flush=True)


if __name__ == "__main__":
    main()
