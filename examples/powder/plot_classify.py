r"""
What symmetry does a powder pattern have?
=========================================

We simulate the neutron powder pattern of corundum, :math:`\alpha`-Al\ :sub:`2`\ O\ :sub:`3`, as a diffractometer would
measure it, and ask for its symmetry. Because it is simulated, the truth is known: R-3c, a hexagonal cell of 254.8
Å\ :sup:`3`.
"""

import matplotlib.pyplot as plt
import numpy as np

from unscatter import Pattern, classify, classify_many
from unscatter.powder.demonstration import simulate_corundum
from unscatter.powder.pattern.background import estimate_background

# %%
# The pattern
# -----------
#
# BT-1 with its Cu(311) monochromator: counts, a background that is higher towards the direct beam, and lines whose
# width changes with the angle.

pattern = simulate_corundum()

figure, panel = plt.subplots(figsize=(9, 3.4), layout="constrained")
panel.plot(pattern.two_theta, pattern.intensity, linewidth=0.7, label="simulated")
panel.plot(pattern.two_theta, estimate_background(pattern.two_theta, pattern.intensity), label="estimated background")
panel.set_xlabel("2θ (deg)")
panel.set_ylabel("counts")
panel.legend()
plt.show()

# %%
# The answer
# ----------
#
# One probability for each of the 230 space groups; those of the coarser classes are sums over their space groups.

ranking = classify(pattern)
print(ranking.describe())

# %%
# How much of the pattern is needed?
# ----------------------------------
#
# We cut the pattern off at lower and lower angles. The probability of the true extinction group (R-3c shares its own
# with R3c) says when too little is left.

ends = np.array([165, 140, 120, 100, 80, 60])
kept = [pattern.two_theta <= end for end in ends]
shorter = [
    Pattern(pattern.two_theta[k], pattern.intensity[k], wavelength=pattern.wavelength, radiation="neutron")
    for k in kept
]
for end, answer in zip(ends, classify_many(shorter), strict=True):
    true = sum(one.probability for one in answer.top(99, "extinction group") if 167 in one.groups)
    best = answer.top(1)[0]
    print(f"up to {end:3d} deg: true extinction group {true:6.1%}, likeliest space group {best.name}")
