r"""
Patterns that are refused
=========================

A classifier names a symmetry for anything that it is given. These patterns have none to name, or not enough of it, and
the answer says so.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np

from unscatter import Cell, Pattern, classify
from unscatter.nouns.crystal import Crystal
from unscatter.powder.demonstration import simulate_measurement
from unscatter.powder.pattern.background import amorphous_background
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.symmetry import operations

# %%
# Four of them
# ------------
#
# A glass: one broad hump. Noise about a constant. Silicon measured up to 60 degrees, which leaves three lines. And a
# glass with a single line of a contaminant.

laboratory = replace(read_instruments()["lab-cu"], range=(10.0, 100.0, 0.02))
hump = amorphous_background(laboratory.two_theta, 24.0, 7.0, 900.0) + 80
glass = simulate_measurement([], laboratory, hump, title="glass")
noise = simulate_measurement([], laboratory, 100.0, seed=1, title="noise")
silicon = Crystal(Cell(5.4312, 5.4312, 5.4312, 90, 90, 90), ("Si",), [[0.125, 0.125, 0.125]], *operations(227))
short = simulate_measurement([silicon], replace(laboratory, range=(10.0, 60.0, 0.02)), 60.0, title="silicon to 60 deg")
spike = np.round(3000 * np.exp(-(((glass.two_theta - 38.4) / 0.06) ** 2)))
dirty = Pattern(
    glass.two_theta,
    glass.intensity + spike,
    wavelength=glass.wavelength,
    radiation="x-ray",
    title="glass with one line",
    simulated=True,
)
patterns = [glass, noise, short, dirty]

figure, panels = plt.subplots(2, 2, figsize=(10, 5), layout="constrained")
for panel, pattern in zip(panels.flat, patterns, strict=True):
    panel.plot(pattern.two_theta, pattern.intensity, linewidth=0.6)
    panel.set_title(f"{pattern.title} (simulated)")
figure.supxlabel("2θ (deg)")
figure.supylabel("counts")
plt.show()

# %%
# What is said
# ------------
#
# On the command line a refusal is one line and exit code 2; from Python it is a ValueError. Where something stands
# above the noise, however little, there is an answer: the network's guess, spread over many lattices, beside findings
# that are poor and say why. Believe the findings.

for pattern in patterns:
    try:
        ranking = classify(pattern)
    except ValueError as refusal:
        print(f"{pattern.title}: refused. {refusal}")
        continue
    best = ranking.top(1, "Bravais lattice")[0]
    print(f"{pattern.title}: {best.name} {best.probability:.0%}, findings {ranking.findings.verdict}")
    for finding in ranking.findings.with_verdict("poor"):
        print(f"    {finding.name}: {finding.sentence}")
