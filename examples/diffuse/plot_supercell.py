r"""
Back to a crystal
=================

Warren-Cowley parameters are averages. What does an arrangement look like that has them, and does it scatter like the
data? Here the published parameters of tris-*tert*-butyl-1,3,5-benzene tricarboxamide (Fuller & Rudden, 2024, Table 2)
make a crystal, and the crystal makes the **simulated** plane again.
"""

import matplotlib.pyplot as plt
import numpy as np

from unscatter.diffuse.demonstration import CELL, simulate_demonstration, trisamide_order
from unscatter.diffuse.supercell import close_loop, draw_supercell
from unscatter.nouns.order import OrderTargets

# %%
# The parameters
# --------------
#
# Fifteen orbits of the six-fold axis. The list holds three equivalents of each.

order = trisamide_order()
targets = OrderTargets(order.vectors[1::3], order.alpha[1::3], np.full(15, 0.003), laue="6/m")

# %%
# The arrangement
# ---------------
#
# Boxes of 36 x 36 columns; A and B swap places until all fifteen parameters are met.

supercell = draw_supercell(targets, CELL, box=(36, 36, 1), boxes=8, sweeps=10)
print(supercell)

# %%
# Neighbours like to differ, which a triangular net allows only in part: chains and small hexagons, no order that goes
# far.

site = np.indices(supercell.box[:2]).reshape(2, -1).T @ CELL.direct[:2, :2]
a = supercell.occupied[0].ravel() == 1
figure, panel = plt.subplots(figsize=(6, 4), layout="constrained")
panel.scatter(*site[a].T, s=14, color="C0", label="A")
panel.scatter(*site[~a].T, s=14, color="C1", label="B")
panel.set(aspect="equal", xlabel="x (Å)", ylabel="y (Å)", title="one box, simulated")
panel.legend(loc="upper right")
plt.show()

# %%
# The plane again
# ---------------
#
# :math:`I_{FF}` times :math:`I_{SRO}` of the boxes, against the plane with its counting noise.

data = simulate_demonstration(pixels=201)
loop = close_loop(data, supercell)
print(loop)

figure, panels = plt.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
pictures = {"simulated data": data.plane.intensity, "from the boxes": loop.plane}
for panel, (title, picture) in zip(panels, pictures.items(), strict=True):
    panel.imshow(np.sqrt(np.clip(picture, 0, None)), origin="lower", extent=(-5, 5, -5, 5), vmin=0, vmax=22)
    panel.set(title=title, xlabel="$Q_x$ (1/Å)")
panels[0].set_ylabel("$Q_y$ (1/Å)")
plt.show()
