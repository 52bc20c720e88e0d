r"""
Tutorial: from a measured plane to a table of order parameters
==============================================================

You have a plane of diffuse scattering and want numbers for a paper: Warren-Cowley parameters with uncertainties, one
figure, and what the reader must know of how they were made. The file here is simulated, with detector gaps, counting
noise and a Debye-Waller factor, so that at the end the truth can be looked at; put your own in its place.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import unscatter
from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.io.results.components import write_plane
from unscatter.io.results.order_tables import write_csv

# %%
# 1. The file
# -----------
#
# hk1 of tris-*tert*-butyl-1,3,5-benzene tricarboxamide, as a NeXus file with axes and cell.

folder = Path(tempfile.mkdtemp())
write_plane(folder / "hk1.h5", simulate_demonstration(pixels=160).plane)

# %%
# 2. Read it, and look
# --------------------
#
# What the reader took for granted stands in its notes. Grey was not measured. For a volume, name the plane:
# ``plane="hk1"``.

plane = unscatter.read_plane(folder / "hk1.h5")
print(f"{plane.title}: {plane.coverage:.0%} measured; notes: {plane.notes or 'none'}")

figure, panel = plt.subplots(figsize=(5, 4.4), layout="constrained")
panel.set_facecolor("0.8")
shown = panel.imshow(
    np.sqrt(np.clip(plane.intensity, 0, np.nanpercentile(plane.intensity, 99.5))),
    origin="lower",
    extent=(plane.axes.x[0], plane.axes.x[-1], plane.axes.y[0], plane.axes.y[-1]),
)
panel.set(xlabel=plane.axis_label("x"), ylabel=plane.axis_label("y"), title="measured, square root of counts")
figure.colorbar(shown)
plt.show()

# %%
# 3. Take it apart
# ----------------
#
# The result shows its table, its six panels and its findings. Read the findings before anything else: a *poor* one
# names an assumption that your crystal may not keep.

components = unscatter.factorize(plane)
components

# %%
# 4. Refine the order parameters
# ------------------------------
#
# The Laue class is that of the average structure, from the Bragg data. Both factors are refined against the plane
# itself; the data choose how many vectors they can tell of.

fit = unscatter.refine_order(components, laue="6/m", bootstrap=50)
fit

# %%
# 5. The table of the paper
# -------------------------
#
# As CSV, with a standard uncertainty each. Quote how many vectors were refined, against what, and R.

write_csv(folder / "hk1.order.csv", fit)
print((folder / "hk1.order.csv").read_text()[:600])

# %%
# 6. The figure of the paper
# --------------------------
#
# The first parameters against the length of their vectors. Negative nearest neighbours: columns alternate.

length = np.linalg.norm(fit.vectors @ np.array([[14.12, 0, 0], [-7.06, 12.228, 0], [0, 0, 6.93]]), axis=1)
figure, panel = plt.subplots(figsize=(6, 3.4), layout="constrained")
panel.axhline(0, color="0.7", linewidth=0.8)
panel.errorbar(length, fit.alpha, yerr=fit.standard_error, fmt="o", markersize=4, capsize=3, label="refined")
true = {tuple(v): a for v, a in zip(trisamide_order().vectors.tolist(), trisamide_order().alpha, strict=True)}
known = [n for n, vector in enumerate(fit.vectors.tolist()) if tuple(vector) in true]
panel.plot(length[known], [true[tuple(fit.vectors[n].tolist())] for n in known], "kx", label="put in")
panel.set(xlabel="|v| (Å)", ylabel="α", title=f"{len(fit)} parameters, Laue class {fit.laue}")
panel.legend()
plt.show()

# %%
# 7. What to cite, and how to make it again
# -----------------------------------------
#
# ``unscatter cite hk1.factorized.h5`` prints BibTeX for exactly what was used, and ``unscatter options`` the options as
# TOML. Both read the provenance that every result carries:

for name in ("version", "weights", "lattice"):
    print(f"{name}: {components.provenance.get(name, 'not said')}")
