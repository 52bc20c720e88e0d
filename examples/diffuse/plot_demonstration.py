r"""
Take a plane apart and compare with the truth
=============================================

We simulate the hk1 plane of a molecular crystal as a detector would see it, take it apart, and look at what came back.
Because it is simulated, the true factors are known.
"""

import matplotlib.pyplot as plt
import numpy as np

from unscatter import Plane, factorize
from unscatter.diffuse.demonstration import simulate_demonstration

# %%
# The measurement
# ---------------
#
# Tris-*tert*-butyl-1,3,5-benzene tricarboxamide forms columns of molecules that point up or down, and neighbouring
# columns prefer to differ. `truth.plane` is what is measured, with detector gaps (NaN), counting noise and a
# Debye-Waller factor; `truth` itself holds the factors behind it.

truth = simulate_demonstration()
plane = truth.plane
print(f"{plane.title}: {plane.coverage:.0%} measured")

# %%
# Noise sets the limit: this is how well the true factors explain the noisy plane. No method can honestly do better.

print(f"truth      explained {truth.explained:.2%}, R = {truth.r_factor:.1%}")

# %%
# Take it apart
# -------------

components = factorize(plane)
print(components.describe())

# %%
# Compare
# -------
#
# Square roots, so that weak features show. The network fills the gaps; the lattice makes the short-range order
# periodic.

figure, panels = plt.subplots(2, 3, figsize=(10, 6.6), sharex=True, sharey=True, layout="constrained")
x, y = plane.axes.x, plane.axes.y
edges = (x[0], x[-1], y[0], y[-1])


def show(panel, values, title, top):
    """One plane on a square-root scale."""
    panel.imshow(np.sqrt(np.clip(values, 0, top)), origin="lower", extent=edges, vmax=np.sqrt(top))
    panel.set_title(title)


rows = [("true", truth), ("found", components)]
for (word, source), row in zip(rows, panels, strict=True):
    show(row[0], source.product, f"{word} $I_{{FF}} I_{{SRO}}$", np.percentile(truth.product, 99.7))
    show(row[1], source.form_factor, f"{word} $I_{{FF}}$", np.percentile(truth.form_factor, 99.7))
    show(row[2], source.short_range_order, f"{word} $I_{{SRO}}$", truth.short_range_order.max())
figure.supxlabel("$Q_x$ (1/Å)")
figure.supylabel("$Q_y$ (1/Å)")
plt.show()

# %%
# How far off, in units of the mean? The form factor is the harder of the two: every cell of the plane tells about the
# one motif of the short-range order, but in a gap nothing was measured that could fix the form factor.


def report(source):
    """Root mean square difference from the truth, and what the product explains."""
    for name in ("form_factor", "short_range_order"):
        found, true = getattr(source, name), getattr(truth, name)
        print(f"{name:<18} {np.sqrt(np.mean((found - true) ** 2)) / true.mean():.3f}")
    print(f"{'explained':<18} {source.explained:.2%}")


report(components)

# %%
# Without the lattice
# -------------------
#
# The same picture without cell and axes: all that is left is what the network has learned. Compare all three numbers: a
# product that explains the data is not yet a product of the right factors.

report(factorize(Plane(plane.intensity)))
