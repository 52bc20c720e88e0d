r"""
Tutorial: from a measured pattern to a cell, a symbol and a figure
==================================================================

You have a powder pattern of an unknown and want what an editor asks for: lattice, cell with standard uncertainties,
figures of merit, space group as far as the data tell, and the picture of the fit. The file is simulated (corundum on
BT-1, neutrons), so that the truth is known: R-3c, a = 4.7587, c = 12.9929 Å. Put your own in its place.
"""

import csv
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import unscatter
from unscatter.powder.demonstration import simulate_corundum, write_pattern

# %%
# 1. The file
# -----------

folder = Path(tempfile.mkdtemp())
write_pattern(folder / "unknown.xye", simulate_corundum())
print((folder / "unknown.xye").read_text()[:160])

# %%
# 2. Read it, and look
# --------------------
#
# Wavelength and radiation are taken from the file where it tells them; your word overrules it.

pattern = unscatter.read_pattern(folder / "unknown.xye", wavelength=1.5403, radiation="neutron")
print(f"{len(pattern.two_theta)} points, {pattern.wavelength} A")
print("assumed:", *pattern.assumptions, sep="\n  ")

# %%
# 3. Ask for everything at once
# -----------------------------
#
# Lines, lattices, whole-pattern fits, extinction symbols and the network, brought together in one distribution. Table,
# picture and findings are what a notebook shows of the result.

ranking = unscatter.classify(pattern)
ranking

# %%
# Space groups with the same extinctions cannot be told apart by where lines are; quote the extinction group, and the
# space groups as candidates.

for one in ranking.top(3, "extinction group"):
    print(f"{one.probability:6.1%}  {one.name}")

# %%
# 4. Doubt it: every step by hand
# -------------------------------
#
# The lines, and the lattices that may explain them.

lines = unscatter.find_lines(pattern)
lattices = unscatter.index(lines)
for lattice in lattices[:5]:
    print(f"{lattice.describe():<50} M20 {lattice.m20:6.1f}  F20 {lattice.f20:6.1f}  foreign {lattice.foreign}")

# %%
# The two likeliest of different kind, on the whole pattern. The difference of evidence is in nats: ten are decisive.

first = lattices[0]
other = next(lattice for lattice in lattices if lattice.bravais != first.bravais)
fits = [unscatter.fit_pattern(pattern, lattice, lines) for lattice in (first, other)]
print(f"{first.bravais} against {other.bravais}: {fits[0].evidence - fits[1].evidence:+.0f} nats")
fits[0]

# %%
# 5. The table of the paper
# -------------------------
#
# Cell with s.u. in units of the last digits, and the list of lines as CSV.

fit = fits[0]
print(f"lattice  {fit.lattice.bravais}")
print(f"cell     {fit.cell_text}")
print(f"volume   {fit.lattice.volume:.2f} A^3")
print(f"M20 {first.m20:.0f}, F20 {first.f20:.0f}, R_p {fit.r_p:.1%}, R_wp {fit.r_wp:.1%}, foreign {len(fit.foreign)}")

with (folder / "lines.csv").open("w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(("h", "k", "l", "two_theta_deg", "area", "area_error"))
    for row in zip(fit.hkl.tolist(), fit.two_theta, fit.area, fit.area_error, strict=True):
        writer.writerow((*row[0], *(f"{value:.4f}" for value in row[1:])))
print((folder / "lines.csv").read_text()[:200])

# %%
# 6. The figure of the paper
# --------------------------

figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.4), sharex=True, height_ratios=(4, 1), layout="constrained")
above.plot(pattern.two_theta, pattern.intensity, ".", markersize=1.5, color="0.3", label="observed")
above.plot(pattern.two_theta, fit.calculated, color="#c0392b", linewidth=0.8, label="calculated")
above.plot(fit.two_theta, [-600.0] * len(fit.two_theta), "|", color="#1f4e79", markersize=5, label=first.bravais)
above.set(ylabel="counts")
above.legend()
below.plot(pattern.two_theta, fit.difference, color="0.4", linewidth=0.6)
below.set(xlabel="2θ (deg)", ylabel="difference")
plt.show()

# %%
# 7. On to Rietveld
# -----------------
#
# ``unscatter classify unknown.xye --start-files`` writes start files for GSAS-II, FullProf and TOPAS, and a CIF.
# ``unscatter cite unknown.classified.json`` prints what to cite.
