"""`unscatter classify`, as a user types it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from unscatter.cli import main
from unscatter.powder.demonstration import simulate_corundum, write_pattern
from unscatter.weights import list_weights

SHIPPED = any(card.name == "group-230" for card in list_weights())


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def corundum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "corundum.xye"
    write_pattern(path, simulate_corundum())
    return path


@pytest.fixture
def bare(corundum: Path, tmp_path: Path) -> Path:
    """Angles and counts without a word about wavelength or radiation."""
    path = tmp_path / "bare.xy"
    np.savetxt(path, np.loadtxt(corundum)[:, :2], fmt="%.4f")
    return path


def test_it_writes_json_csv_and_picture_and_prints_a_table(
    corundum: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("classify", corundum, "--out", tmp_path, "--weights", classifier) == 0
    table = json.loads((tmp_path / "corundum.classified.json").read_text())
    best = table["levels"]["space group"][:5]
    assert (tmp_path / "corundum.classified.csv").read_text().count("\n") == 231
    assert (tmp_path / "corundum.classified.png").read_bytes().startswith(b"\x89PNG")
    assert table["provenance"]["input"] == "corundum.xye"
    assert table["provenance"]["wavelength_from"] == "the file"
    screen = capsys.readouterr().out
    for word in ("simulated", "3241", "1.5403 A (from the file)", "neutron (from the file)", "d 29.42 to 0.7768 A"):
        assert word in screen
    for one in best:
        assert f"{100 * one['probability']:.1f} %  {one['name']}" in screen
    for level in ("Bravais lattice", "extinction group", "crystal system"):
        assert table["levels"][level][0]["name"] in screen


def test_wavelength_and_radiation_from_the_command_line(
    bare: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--wavelength", "1.5403", "--radiation", "neutron", "--weights", classifier, "--no-picture"]
    assert run("classify", bare, "--out", tmp_path / "out", *options, "--subtract-background") == 0
    table = json.loads((tmp_path / "out" / "bare.classified.json").read_text())
    assert table["pattern"]["wavelength_A"] == 1.5403
    assert table["pattern"]["radiation"] == "neutron"
    assert table["provenance"]["wavelength_from"] == "--wavelength"
    assert table["provenance"]["background"].startswith("subtracted")
    assert not (tmp_path / "out" / "bare.classified.png").exists()
    assert "1.5403 A (from --wavelength)" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["q-nm", "q_nm"])
def test_the_axis_is_declared_as_pyfai_spells_it_or_as_the_help_does(
    word: str, corundum: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    two_theta, counts = np.loadtxt(corundum)[:, :2].T
    path = tmp_path / "q.xy"
    np.savetxt(path, np.c_[40 * np.pi * np.sin(np.radians(two_theta / 2)) / 1.5403, counts], fmt="%.6f")
    options = ["--axis", word, "--wavelength", "1.5403", "--weights", classifier, "--no-picture"]
    assert run("classify", path, "--out", tmp_path / "out", *options) == 0
    screen = capsys.readouterr().out
    assert "d 29.42 to 0.7768 A" in screen
    assert "the axis was declared to be Q in 1/nm" in screen


def test_a_missing_wavelength_says_what_to_type(
    bare: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("classify", bare, "--out", tmp_path / "out", "--weights", classifier) == 2
    message = capsys.readouterr().err
    assert "bare.xy" in message
    assert "--wavelength 1.5406" in message
    assert "2.0787" in message
    assert not (tmp_path / "out").exists()


def test_one_bad_file_does_not_stop_the_rest(
    corundum: Path, bare: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.xye"
    other.write_bytes(corundum.read_bytes())
    out = tmp_path / "out"
    assert run("classify", bare, corundum, other, "--out", out, "--weights", classifier, "--no-picture") == 2
    assert (out / "corundum.classified.json").exists()
    assert (out / "classified.csv").read_text().count("\n") == 3
    assert not list(out.glob("bare*"))
    assert "1 of 3 files failed" in capsys.readouterr().err


def test_results_do_not_overwrite_each_other(
    corundum: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin, other = tmp_path / "corundum.xy", tmp_path / "elsewhere" / "corundum.xye"
    other.parent.mkdir()
    for copy in (twin, other):
        copy.write_bytes(corundum.read_bytes())
    how = ["--out", tmp_path / "out", "--weights", classifier, "--no-picture"]
    assert run("classify", corundum, other, *how) == 2
    assert "would both be written" in capsys.readouterr().err
    assert run("classify", corundum, twin, *how) == 0
    assert {path.name for path in (tmp_path / "out").glob("*.json")} == {
        "corundum.xye.classified.json",
        "corundum.xy.classified.json",
    }


def test_a_folder_and_a_table_of_its_instruments(bare: Path, classifier: str, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a.xy", "b.xy", "notes.md"):
        (folder / name).write_bytes(bare.read_bytes())
    table = folder / "table.csv"
    table.write_text("file;wavelength (nm);radiation\na.xy;0.15403;neutron\nb.xy;0.07;X-ray\n")
    how = ["--table", table, "--out", tmp_path / "out", "--weights", classifier, "--no-picture"]
    assert run("classify", folder, *how) == 0
    said = {}
    for name in ("a", "b"):
        found = json.loads((tmp_path / "out" / f"{name}.classified.json").read_text())["pattern"]
        said[name] = (found["wavelength_A"], found["radiation"])
    assert said == {"a": (pytest.approx(1.5403), "neutron"), "b": (pytest.approx(0.7), "x-ray")}
    # without a folder, the files of the table
    assert run("classify", *how) == 0
    assert len((tmp_path / "out" / "classified.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,wavelength\na.xy,1\n", "expected file and any of"),
        ("file,wavelength\na.xy,long\n", "line 2: wavelength 'long'"),
        ("file,radiation\na.xy,gamma\n", "option radiation"),
    ],
)
def test_a_table_that_cannot_be(
    text: str, expected: str, bare: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.xy").write_bytes(bare.read_bytes())
    (tmp_path / "table.csv").write_text(text)
    assert run("classify", "--table", tmp_path / "table.csv", "--out", tmp_path, "--weights", classifier) == 2
    assert expected in capsys.readouterr().err


def test_several_calls_add_to_one_summary(corundum: Path, classifier: str, tmp_path: Path) -> None:
    copies = [tmp_path / f"{name}.xye" for name in "abc"]
    for copy in copies:
        copy.write_bytes(corundum.read_bytes())
    how = ["--out", tmp_path / "out", "--weights", classifier, "--no-picture"]
    summary = tmp_path / "out" / "classified.csv"
    assert run("classify", *copies[:2], *how) == 0
    assert run("classify", *copies[1:], *how) == 0
    assert [line.split(",")[0] for line in summary.read_text().splitlines()[1:]] == [str(path) for path in copies]
    summary.write_text("of,another,program\n")
    assert run("classify", *copies[:2], *how) == 0
    assert summary.read_text() == "of,another,program\n"
    assert (tmp_path / "out" / "classified-2.csv").read_text().count("\n") == 3


def columns(angles: np.ndarray, counts: np.ndarray) -> bytes:
    return "\n".join(f"{a:.4f} {c:.4f}" for a, c in zip(angles, counts, strict=True)).encode()


ANGLES = np.linspace(10.0, 120.0, 1101)
COUNTS = 100 + 50 * np.cos(ANGLES)
NO_AXIS = np.random.default_rng(0).uniform(10.0, 120.0, 1101)

BAD = {
    "empty": (b"", "empty"),
    "words": (b"no numbers here\nnone at all\n", "no numbers found"),
    "disorder": (columns(NO_AXIS, COUNTS), "does not increase"),
    "zero": (columns(ANGLES, 0 * COUNTS), "zero"),
    "negative": (columns(ANGLES, COUNTS - 110), "negative"),
    "nan": (columns(ANGLES, np.where(np.arange(1101) % 3, np.nan, COUNTS)), "not numbers"),
    "few": (columns(ANGLES[::8], COUNTS[::8]), "expected at least 200 points"),
    "narrow": (columns(30 + ANGLES / 15, COUNTS), "ratio"),
    "beyond": (columns(ANGLES * 2, COUNTS), "at most 180"),
    "one_column": (b"\n".join(b"%d" % k for k in range(900)), "one column"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
    "detector": (b"II*\0" + bytes(100), "detector image"),
    "numpy": (b"\x93NUMPY" + bytes(100), "NumPy array"),
    "matrix": (("\n".join(" ".join(["1"] * 60) for _ in range(60))).encode(), "60 numbers a line"),
    "binary": (bytes(range(256)) * 4, "expected"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_two(
    name: str, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, expected = BAD[name]
    (tmp_path / f"{name}.xy").write_bytes(content)
    options = ["--wavelength", "1.5403", "--weights", classifier]
    assert run("classify", tmp_path / f"{name}.xy", "--out", tmp_path / "out", *options) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("unscatter: ")
    assert f"{name}.xy" in message
    assert expected in message
    assert "\n" not in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wavelength", ["0", "-1.54", "1e9", "0.001", "nan"])
def test_an_impossible_wavelength(
    wavelength: str, bare: Path, classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("classify", bare, "--out", out, "--wavelength", wavelength, "--weights", classifier) == 2
    message = capsys.readouterr().err.strip()
    assert "wavelength" in message
    assert "\n" not in message
    assert not out.exists()


def test_no_such_file_and_no_such_weights(corundum: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("classify", tmp_path / "nosuch.xye") == 2
    assert "nosuch.xye" in capsys.readouterr().err
    assert run("classify", corundum, "--weights", "nonsense", "--out", tmp_path) == 2
    assert "shipped are" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not SHIPPED, reason="the trained classifier is not shipped yet")
def test_the_demonstration_says_that_it_is_simulated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("demo", "--out", tmp_path) == 0
    table = json.loads((tmp_path / "corundum_simulated.classified.json").read_text())
    assert table["pattern"]["simulated"] is True
    assert "simulated" in (tmp_path / "corundum_simulated.xye").read_text()[:200]
    assert (tmp_path / "corundum_simulated.classified.png").exists()
    assert "corundum (R-3c) on BT-1, Cu(311) (simulated)" in capsys.readouterr().out
    rows = (tmp_path / "corundum_simulated.classified.csv").read_text().splitlines()
    assert rows[0].startswith("pattern,")
    assert all("simulated" in row for row in rows[1:])


def test_cite_reads_the_result(
    corundum: Path, small_classifier: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("classify", corundum, "--out", tmp_path, "--weights", small_classifier, "--no-picture")
    text = (tmp_path / "corundum.classified.json").read_text()
    shown = capsys.readouterr().out
    assert "small" in shown
    (tmp_path / "r.json").write_text(text.replace('"weights": "small"', f'"weights": "{small_classifier}"'))
    assert run("cite", tmp_path / "r.json") == 0
    assert "Lolla" in capsys.readouterr().out


def test_classifying_imports_neither_torch_nor_matplotlib(corundum: Path, classifier: str, tmp_path: Path) -> None:
    arguments = ["classify", str(corundum), "--out", str(tmp_path), "--weights", classifier, "--no-picture"]
    code = (
        "import sys; from unscatter.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
