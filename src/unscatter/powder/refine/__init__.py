"""The lattice named by crystallography: lines, cells, whole-pattern fits, extinction symbols."""
