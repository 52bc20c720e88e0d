r"""
Refine order parameters
=======================

From a measured plane to Warren-Cowley parameters with uncertainties, on the simulated demonstration plane, where the
true ones are known.
"""

import numpy as np

from unscatter.diffuse.demonstration import simulate_demonstration, trisamide_order
from unscatter.diffuse.plot.order import plot_order
from unscatter.diffuse.refine.order import refine_order

# %%
# The plane has counting noise and detector gaps. Here I_FF is known from the structure; leave out `against` and
# `form_factors` to refine it as well, from what :func:`unscatter.factorize` found.

truth = simulate_demonstration(pixels=200)
fit = refine_order(truth, against="form-factor", form_factors=[truth.form_factor], laue="6/m", radius=75.0)
print(fit)

# %%
# Folded data, refined series and their difference on one scale, as in Fig. 4(b) of Fuller & Rudden (2024).

figure = plot_order(fit)

# %%
# How far from the truth are the first, in units of their uncertainties? In Laue class 6/m, (3 1 0) and (3 2 0) differ.

expected = dict(zip(map(tuple, trisamide_order().vectors.tolist()), trisamide_order().alpha, strict=True))
for label, vector, alpha, error in zip(fit.labels, fit.vectors.tolist(), fit.alpha, fit.standard_error, strict=True):
    if tuple(vector) in expected:
        print(f"{label}  {(alpha - expected[tuple(vector)]) / error:+.1f} s.u.")
print(
    f"alpha(3 1 0) / alpha(3 2 0) = {np.divide(*fit.alpha[[fit.labels.index(n) for n in ('(3 1 0)', '(3 2 0)')]]):.2f}"
)
