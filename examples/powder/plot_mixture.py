r"""
A mixture
=========

Anatase with a fifth of rutile, as many white powders are. One lattice cannot explain both: what it leaves over is
indexed again, and a second phase is offered, not asserted.
"""

from dataclasses import replace

import matplotlib.pyplot as plt

from unscatter import Cell, classify
from unscatter.nouns.crystal import Crystal
from unscatter.powder.demonstration import simulate_measurement
from unscatter.powder.pattern.instrument import read_instruments
from unscatter.symmetry import operations

# %%
# Two powders in one beam
# -----------------------

anatase = Crystal(
    Cell(3.7842, 3.7842, 9.5146, 90, 90, 90), ("Ti", "O"), [[0, 0.25, 0.875], [0, 0.25, 0.0831]], *operations(141)
)
rutile = Crystal(
    Cell(4.5937, 4.5937, 2.9587, 90, 90, 90), ("Ti", "O"), [[0, 0, 0], [0.3048, 0.3048, 0]], *operations(136)
)
laboratory = replace(read_instruments()["lab-cu"], range=(15.0, 110.0, 0.02))


def measure(share):
    """Anatase with a share of the intensity from rutile."""
    return simulate_measurement(
        [anatase, rutile],
        laboratory,
        150.0,
        shares=(1 - share, share),
        counts=8000,
        title=f"anatase with {share:.0%} of rutile (simulated)",
    )


pattern = measure(0.2)
figure, panel = plt.subplots(figsize=(9, 3), layout="constrained")
panel.semilogy(pattern.two_theta, pattern.intensity + 1, linewidth=0.6)
panel.set(xlabel="2θ (deg)", ylabel="counts")
plt.show()

# %%
# The answer
# ----------
#
# Look at the foreign lines (red crosses), and at the findings: they are not good, and they say why.

ranking = classify(pattern)
ranking

# %%
# What is offered as the second phase, beside what was put in.

offered = ranking.second_phase
print("second phase:", offered.describe() if offered else "none", "| put in: tP, 4.594 4.594 2.959 A")

# %%
# How little of it is enough?
# ---------------------------

for share in (0.2, 0.1, 0.05):
    answer = classify(measure(share))
    offered = answer.second_phase
    print(
        f"{share:4.0%} of rutile: {answer.top(1, 'Bravais lattice')[0].name}, {len(answer.fit.foreign):2d} foreign, "
        f"findings {answer.findings.verdict}, second phase {offered.describe() if offered else 'none'}"
    )
