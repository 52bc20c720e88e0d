r"""
From order parameters to I_SRO
==============================

What do a few Warren-Cowley parameters look like in reciprocal space? We go from :math:`\alpha` to
:math:`I_{SRO} = \sum_{\mathbf v} \alpha_{\mathbf v} \cos(2\pi\, hkl \cdot \mathbf v)`, equation (3).
"""

import matplotlib.pyplot as plt
import numpy as np

from unscatter import OrderParameters, PlaneAxes
from unscatter.diffuse.crystal.order import apply_window, monte_carlo, to_order_parameters, warren_cowley
from unscatter.diffuse.plane.forward import order_waves, short_range_order

# %%
# Like and unlike neighbours
# --------------------------
#
# One parameter along h and one along k, each vector listed once (the sum counts :math:`\mathbf v` and
# :math:`-\mathbf v`). Positive :math:`\alpha`, like beside like, puts the intensity on the Bragg positions; negative,
# alternation, puts it between them. Pictures show the square root.

h = k = np.linspace(-1, 1, 201)
axes = PlaneAxes(origin=[0, 0, 0], u=[1, 0, 0], v=[0, 1, 0], x=h, y=k)
vectors = [(0, 0, 0), (1, 0, 0), (0, 1, 0)]


def show(panel, order, title):
    """I_SRO on the plane hk0, its range, and its mean over one cell of the plane."""
    ordered = short_range_order(order_waves(order, axes), h, k)
    panel.imshow(np.sqrt(np.clip(ordered, 0, None)), origin="lower", extent=(-1, 1, -1, 1), vmin=0)
    panel.set(title=title, xlabel="[h 0 0] (r.l.u.)")
    mean = ordered[:200, :200].mean()
    print(f"{title:<24} {ordered.min():6.2f} to {ordered.max():5.2f}, mean in the plane {mean:.3f}")


figure, panels = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True, layout="constrained")
show(panels[0], OrderParameters(vectors, [1, 0.2, 0.2]), "like neighbours")
show(panels[1], OrderParameters(vectors, [1, -0.2, -0.2]), "unlike neighbours")
show(panels[2], OrderParameters(vectors, [1, 0.2, -0.2]), "stripes")
panels[0].set_ylabel("[0 k 0] (r.l.u.)")
plt.show()

# %%
# The mean over a reciprocal cell is :math:`\alpha_{\mathbf 0} = 1`, whatever the other parameters are. (On one plane it
# is 1 only where, as here, nothing is correlated along the normal.)
#
# Parameters that a crystal can have
# ----------------------------------
#
# Parameters chosen at will may make :math:`I_{SRO}` negative, which no crystal can do. Those counted in an arrangement
# cannot, as long as they are cut off smoothly. Here a box of 32 x 32 x 32 sites is driven to three given parameters
# and all others are counted in it.

rng = np.random.default_rng(7)
box = monte_carlo(np.array([0.5]), np.array([[-0.4, -0.4, 0.1]]), rng, box=32, sweeps=60)[0]
alpha = warren_cowley(box, radius=7)
for name, vector in {"[100]": (8, 7, 7), "[010]": (7, 8, 7), "[001]": (7, 7, 8)}.items():
    print(f"alpha {name} = {alpha[vector]:+.3f}")

# %%
# Cut off at five cells, the series rings and falls below zero; with a smooth window it does neither, at the price of
# resolution. Both planes now have a mean above 1: along the normal, like prefers like, which gathers intensity on hk0.

figure, panels = plt.subplots(1, 2, figsize=(7.5, 3.9), sharey=True, layout="constrained")
show(panels[0], to_order_parameters(alpha[2:-2, 2:-2, 2:-2], 0.5), "cut off at 5 cells")
show(panels[1], to_order_parameters(apply_window(alpha, 6.0), 0.5), "smooth window, 6 cells")
panels[0].set_ylabel("[0 k 0] (r.l.u.)")
plt.show()
