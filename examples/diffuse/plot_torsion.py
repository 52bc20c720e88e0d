r"""
A torsion from the form factor
==============================

:math:`I_{FF}` is the square of :math:`F_A - F_B`, so it knows the shape of the two molecules. Here a torsion of
tris-*tert*-butyl-1,3,5-benzene tricarboxamide is scanned and refined against a **simulated** plane, the idea of
Fig. 5(b) of Fuller & Rudden (2024).
"""

import matplotlib.pyplot as plt

from unscatter.diffuse.crystal.geometry import parse_operation
from unscatter.diffuse.crystal.motions import parse_range, parse_rotation
from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_columns
from unscatter.diffuse.refine.disorder_model import DisorderModel
from unscatter.diffuse.refine.molecules import refine_molecules

# %%
# The data and the model
# ----------------------
#
# The plane has detector gaps and counting noise; its true factors are known. A is a column of two molecules, listed in
# full; B is its mirror image.

components = simulate_demonstration(pixels=200)
column, _ = trisamide_columns()
model = DisorderModel(column, parse_operation("x,y,1/2-z"), name="column and mirror image")

# %%
# What turns
# ----------
#
# Each of the six nitrogen atoms holds a *tert*-butyl group. The six turn by one angle.

bonds = ",".join(f"N{n}-C{n + 18}" for n in range(7, 13))
torsion = parse_rotation(bonds)
fit = refine_molecules(components, model, [(torsion, parse_range("-60:60:4"))], against="data")
value, error = fit[torsion.name]
print(f"refined: {value:+.2f} deg, s.u. {error:.2f}, the truth is 0")
print(f"{fit.pixels} pixels, about {fit.independent:.0f} of them independent; D_w {fit['D_w'][0]:.4f}, truth 0.06")

# %%
# The curve
# ---------
#
# Methyl groups are three alike, so 120 degrees make a period, and 60 degrees is the worst that can be.

(scan,) = fit.scans
figure, panel = plt.subplots(figsize=(6, 3.6), layout="constrained")
panel.plot(scan.values, scan.mse, color="C3")
panel.axvspan(value - 2 * error, value + 2 * error, color="0.8")
panel.set(xlabel="torsion (deg)", ylabel="mean square error", ylim=(0, None), title="simulated plane")
plt.show()
