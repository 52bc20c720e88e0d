r"""
A pseudo-symmetric pattern
==========================

Perovskite, CaTiO\ :sub:`3`, is orthorhombic (Pnma), yet its cell is within 1 % of a cubic one. On a laboratory
diffractometer its strong lines hardly split. What tells the lattices apart are weak lines, and how well each of them
fits the whole pattern.
"""

from dataclasses import replace

import matplotlib.pyplot as plt

from unscatter import Cell, Lattice, classify, find_lines, fit_pattern
from unscatter.nouns.crystal import Crystal
from unscatter.powder.demonstration import simulate_measurement
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.symmetry import operations

# %%
# The pattern
# -----------

perovskite = Crystal(
    Cell(5.4361, 7.6388, 5.3789, 90, 90, 90),
    ("Ca", "Ti", "O", "O"),
    [[0.0350, 0.25, 0.9932], [0.5, 0, 0], [0.4838, 0.25, 0.0714], [0.2888, 0.0371, 0.7108]],
    *operations(62),
)
laboratory = replace(read_instruments()["lab-cu"], range=(15.0, 120.0, 0.02))
pattern = simulate_measurement([perovskite], laboratory, 120.0, counts=10000, title="perovskite, Cu (simulated)")

# %%
# The answer
# ----------

ranking = classify(pattern)
ranking

# %%
# The lattices by hand
# --------------------
#
# The aristotype, the tetragonal cell of many perovskites, and the true one, each fitted to the whole pattern. Ten nats
# of evidence are decisive; R values alone would always favour the lattice with more lines.

lines = find_lines(pattern)
lattices = [
    Lattice(Cell(3.822, 3.822, 3.822, 90, 90, 90), "cP"),
    Lattice(Cell(5.407, 5.407, 7.639, 90, 90, 90), "tP"),
    Lattice(Cell(5.436, 7.639, 5.379, 90, 90, 90), "oP"),
]
fits = [fit_pattern(pattern, lattice, lines) for lattice in lattices]
for fit in fits:
    print(
        f"{fit.lattice.bravais}  R_wp {fit.r_wp:6.1%}  foreign {len(fit.foreign):2d}  seen {fit.seen_share:4.0%} of "
        f"{fit.resolved:3d}  evidence {fit.evidence - fits[-1].evidence:+9.0f} nats"
    )

# %%
# One group of lines shows it: the cubic lattice puts a single line where four are.

figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), sharey=True, layout="constrained")
near = (pattern.two_theta > 58.2) & (pattern.two_theta < 60.2)
for panel, fit in zip(panels, fits, strict=True):
    panel.plot(pattern.two_theta[near], pattern.intensity[near], ".", markersize=3, color="0.5")
    panel.plot(pattern.two_theta[near], fit.calculated[near], color="#c0392b")
    inside = fit.two_theta[(fit.two_theta > 58.2) & (fit.two_theta < 60.2)]
    panel.plot(inside, [-150] * len(inside), "|", color="#c0392b", markersize=8)
    panel.set(title=fit.lattice.bravais, xlabel="2θ (deg)")
panels[0].set_ylabel("counts")
plt.show()
