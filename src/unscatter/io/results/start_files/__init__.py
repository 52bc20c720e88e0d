"""Files from which GSAS-II, FullProf, TOPAS and others begin a whole-pattern refinement of a lattice that was found."""
