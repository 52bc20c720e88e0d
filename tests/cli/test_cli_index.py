"""`unscatter index`, as a user types it."""

import json
from pathlib import Path

import pytest

from unscatter.cli import main
from unscatter.powder.demonstration import simulate_corundum, write_pattern


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def test_the_corundum_of_the_demonstration_is_rhombohedral_with_its_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "corundum.xye"
    write_pattern(path, simulate_corundum())
    assert run("index", path, "--lines", "--out", tmp_path) == 0
    assert " 1   hR " in capsys.readouterr().out
    best = json.loads((tmp_path / "corundum.indexed.json").read_text(encoding="utf-8"))["lattices"][0]
    assert best["bravais"] == "hR"
    assert best["cell"][:3] == pytest.approx([4.759, 4.759, 12.99], rel=1e-3)
    # The list that was written serves in place of the pattern.
    assert run("index", tmp_path / "corundum.lines", "--json", "--out", tmp_path / "again") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["lattices"][0]["bravais"] == "hR"
    assert again["lattices"][0]["volume"] == pytest.approx(best["volume"], rel=1e-3)


def test_a_pattern_without_a_wavelength_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bare.xy"
    path.write_text("".join(f"{10 + 0.05 * n:.2f} {100 + n % 7}\n" for n in range(400)), encoding="utf-8")
    assert run("index", path, "--out", tmp_path) != 0
    assert "--wavelength" in capsys.readouterr().err
