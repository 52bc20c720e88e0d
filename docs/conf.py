"""How the documentation is built: `make docs`. Warnings are errors."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext")]
# Pictures are drawn without a screen, and the processes it starts import the same package.
os.environ.setdefault("MPLBACKEND", "agg")

from unscatter.version import __version__  # noqa: E402

project = "unscatter"
author = "the unscatter developers"
copyright = "2026, the unscatter developers"  # noqa: A001  the name Sphinx asks for
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_copybutton",
    "command_help",
    "formats_read",
    "mathml",
    "pictures",
    "plain_docstrings",
]
exclude_patterns = ["_build", "_ext"]
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["versions.css"]
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

# The pages can be built without PyTorch; what is missing is replaced by a stand-in while docstrings are read.
workshop = ("lightning_fabric", "onnx", "safetensors", "tensorboard", "torch", "torchmetrics")
autodoc_mock_imports = [name for name in workshop if find_spec(name) is None]
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
# Signatures of public functions come from the options of their jobs, which no source of theirs shows.
autodoc_preserve_defaults = False
aliases = (
    "Array",
    "FloatArray",
    "IntArray",
    "Floats",
    "Matrix",
    "OrderSource",
    "PatternSource",
    "PerPlane",
    "PlaneSource",
)
autodoc_type_aliases = {name: name for name in aliases}
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "subsection_order": ["../examples/tutorials", "../examples/diffuse", "../examples/powder"],
}
html_math_renderer = "mathml"
copybutton_prompt_text = "$ "

html_theme = "pydata_sphinx_theme"
html_title = f"unscatter {version}"
html_show_sourcelink = False
# Each version is a folder beside this one. The list has the layout of the theme's switcher, which may read it too.
html_context = {"versions": json.loads((HERE / "_static" / "switcher.json").read_text(encoding="utf-8"))}
html_theme_options = {
    "navbar_end": ["versions", "theme-switcher", "navbar-icon-links"],
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"install": [], "conventions": [], "changelog": []}
