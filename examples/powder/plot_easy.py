r"""
An easy pattern
===============

Rutile, TiO\ :sub:`2`, on a laboratory diffractometer: the doublet of copper, counting noise, a zero of 0.03 degrees.
Nothing but the angles and counts is told, and that they are of copper. Simulated, so that the truth is known:
P4\ :sub:`2`/mnm, a = 4.5937, c = 2.9587 Å.
"""

from dataclasses import replace

import matplotlib.pyplot as plt

from unscatter import Cell, classify
from unscatter.nouns.crystal import Crystal
from unscatter.powder.demonstration import simulate_measurement
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.symmetry import operations

# %%
# The pattern
# -----------

rutile = Crystal(
    Cell(4.5937, 4.5937, 2.9587, 90, 90, 90), ("Ti", "O"), [[0, 0, 0], [0.3048, 0.3048, 0]], *operations(136)
)
laboratory = replace(read_instruments()["lab-cu"], range=(15.0, 110.0, 0.02), zero=0.03)
pattern = simulate_measurement([rutile], laboratory, 150.0, counts=5000, title="rutile, Cu (simulated)")

figure, panel = plt.subplots(figsize=(9, 3), layout="constrained")
panel.semilogy(pattern.two_theta, pattern.intensity + 1, linewidth=0.6)
panel.set(xlabel="2θ (deg)", ylabel="counts")
plt.show()

# %%
# The answer
# ----------
#
# A result in a notebook shows its table, its picture and its findings. Network and crystallography agree, every line is
# explained, and the cell is right to a few parts in ten thousand or better.

ranking = classify(pattern)
ranking

# %%
# What may be quoted: the cell with its standard uncertainties, and how far it is from the truth in units of them.

fit = ranking.fit
print(f"{fit.lattice.bravais}: {fit.cell_text}")
for name, found, error, true in zip(
    "ac", fit.lattice.cell.parameters[:3:2], fit.cell_error[:3:2], (4.5937, 2.9587), strict=True
):
    print(f"{name} - true = {found - true:+.5f} A, {(found - true) / error:+.1f} s.u.")
