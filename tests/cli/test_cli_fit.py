"""`unscatter fit`, as a user types it."""

import json
from pathlib import Path

import pytest

from unscatter.cli import main
from unscatter.powder.demonstration import simulate_corundum, write_pattern


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


@pytest.fixture
def corundum(tmp_path: Path) -> Path:
    path = tmp_path / "corundum.xye"
    write_pattern(path, simulate_corundum())
    return path


def test_a_cell_gives_a_table_a_picture_and_files_for_other_programs(
    corundum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = ("4.7", "4.7", "12.9", "90", "90", "120")
    assert run("fit", corundum, "--cell", *cell, "--start-files", "--out", tmp_path / "out") == 0
    told = capsys.readouterr().out
    for part in ("hR", "4.7588", "R_p, R_wp", "R-3c", "foreign       none", "weighed       hR 0.0, hP -"):
        assert part in told
    names = {path.name for path in (tmp_path / "out").iterdir()}
    kinds = {"fit.h5", "fit.json", "fit.csv", "fit.reflections.csv", "fit.png"}
    assert names == {f"corundum.{kind}" for kind in kinds | {f"start.{k}" for k in ("cif", "instprm", "pcr", "inp")}}


def test_a_result_is_made_again_from_its_options(
    corundum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = ("4.76", "4.76", "12.99", "90", "90", "120")
    assert run("fit", corundum, "--cell", *cell, "--space-group", "167", "--out", tmp_path, "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert run("options", tmp_path / "corundum.fit.json") == 0
    (tmp_path / "how.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("fit", corundum, "--options", tmp_path / "how.toml", "--out", tmp_path / "again", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["cell"] == first["cell"]
    assert again["symbols"][0]["space_groups"] == [161, 167]
    assert "calculated" not in again


def test_a_folder_that_holds_results_is_fitted_again_without_them(
    corundum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = ("4.76", "4.76", "12.99", "90", "90", "120")
    for _ in range(2):
        assert run("fit", tmp_path, "--cell", *cell, "--bravais", "hR", "--no-picture", "--out", tmp_path) == 0
    assert capsys.readouterr().out.count("corundum.xye") == 2


def test_without_a_cell_it_says_what_to_type(corundum: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fit", corundum) == 2
    assert "which cell? give its a b c" in capsys.readouterr().err
