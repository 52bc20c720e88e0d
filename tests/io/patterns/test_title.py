"""A title is what names the sample, not whatever comment stands first."""

import numpy as np
import pytest

from unscatter.io.patterns import read_pattern
from unscatter.io.patterns.title import find_title


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        (["quartz, 300 K"], "quartz, 300 K"),
        (
            ["corundum (R-3c) on BT-1, Cu(311) (simulated)", "neutron, lambda 1.54 A"],
            "corundum (R-3c) on BT-1, Cu(311)",
        ),
        (["2theta intensity sigma"], ""),
        (["2Theta (deg)  Counts  Error"], ""),
        (["Created by HighScore on 2024-01-02", "quartz"], "quartz"),
        (["C:\\data\\run5\\scan.raw", "sample: NaCl + Si"], "NaCl + Si"),
        (["Wavelength = 1.5406", "Date: today", "LaB6 standard"], "LaB6 standard"),
        (["exported 12:30:01", "x y e"], ""),
        (["Title = 'ZnO annealed'"], "ZnO annealed"),
        (["", "3 4 5", "---"], ""),
        (["pyFAI calibration file", "== pyFAI =="], ""),
        (["neutron diffraction data", "CeO2"], "CeO2"),
    ],
)
def test_the_line_that_names_the_sample_is_the_title(lines, title):
    assert find_title(lines).removesuffix(" (simulated)") == title


def test_a_json_header_may_name_the_sample():
    assert find_title(["{...}"], {"title": "fluorite"}) == "fluorite"


def test_a_file_that_names_no_sample_has_no_title(tmp_path):
    angles = np.linspace(10, 120, 600)
    rows = "\n".join(f"{a:.4f} {100 + 50 * np.cos(a):.1f}" for a in angles)
    for head, title in (
        ("# wavelength = 1.5406\n# 2theta counts\n", ""),
        ("# exported by X\n# MgO, 20 C\n", "MgO, 20 C"),
    ):
        (tmp_path / "a.xy").write_text(head + rows)
        assert read_pattern(tmp_path / "a.xy").title == title
