"""Nothing that was typed is dropped in silence: repeats, ranges, pipes; and results for machines."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from unscatter.cli import main
from unscatter.cli.arguments import gather_repeats, rename_old, shelter_ranges, take_option
from unscatter.cli.dispatch import COMMANDS, load
from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.io.results.components import write_components, write_plane


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def gathered(job: str, words: str) -> str:
    return " ".join(gather_repeats(shelter_ranges(words.split()), load(job)))


def test_values_typed_in_two_places_are_all_taken() -> None:
    assert gathered("refine order", "r.h5 --vectors 1,0,0 2,0,0 --laue 6/m --vectors 2,1,0") == (
        "r.h5 --vectors 1,0,0 2,0,0 2,1,0 --laue 6/m"
    )
    assert gathered("supercell", "r.h5 --generate -y,x-y,z --generate=y-x,-x,z") == "r.h5 --generate  -y,x-y,z y-x,-x,z"
    moves = "r.h5 --model-a a.cif --rotate N1-C7 0:10:1 --rotate B:[0 0:5:1 --model_a b.cif"
    assert gathered("refine molecules", moves) == "r.h5 --model-a a.cif b.cif --rotate N1-C7 0:10:1 B:[0 0:5:1"
    assert gathered("factorize", "v.h5 --plane hk1 --plane hk2 -v") == "v.h5 --plane hk1 --plane hk2 -v"


@pytest.mark.parametrize(
    ("job", "words"), [("refine order", "--laue 6/m --laue mmm"), ("classify", "a --wavelength 1.5 --wavelength=1.6")]
)
def test_an_option_of_one_value_typed_twice_is_refused(job: str, words: str) -> None:
    with pytest.raises(ValueError, match="was given twice"):
        gathered(job, words)


def test_ranges_and_operations_are_values() -> None:
    words = ["--rotate", "N1-C7", "-60:60:1", "--generate", "-y,x-y,z", "--out", "-"]
    assert shelter_ranges(words) == ["--rotate", "N1-C7", " -60:60:1", "--generate", " -y,x-y,z", "--out", "-"]


def test_older_names_of_options_keep_working(caplog: pytest.LogCaptureFixture) -> None:
    words = ["plane.h5", "--no-zeros-missing", "--out", "x"]
    assert rename_old(words) == ["plane.h5", "--zeros", "measured", "--out", "x"]
    assert "--no-zeros-missing is now --zeros measured" in caplog.text


def test_an_option_is_taken_out_with_its_value() -> None:
    for words in (["factorize", "--network", "unet", "--x"], ["factorize", "--network=unet", "--x"]):
        assert take_option(words, "--network", "") == "unet"
        assert words == ["factorize", "--x"]
    assert take_option(words, "--network", "none") == "none"


@pytest.fixture
def plane(tmp_path: Path) -> Path:
    write_plane(tmp_path / "plane.h5", simulate_demonstration(pixels=64).plane)
    return tmp_path / "plane.h5"


def test_repeated_vectors_are_all_refined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_components(tmp_path / "p.factorized.h5", simulate_demonstration(pixels=64))
    how = ["--laue", "6/m", "--vectors", "1,0,0", "--bootstrap", "5", "--vectors", "2,0,0", "--no-picture", "--json"]
    assert run("refine", "order", tmp_path / "p.factorized.h5", *how) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["label"] for row in record["parameters"]] == ["(1 0 0)", "(2 0 0)"]
    assert record["provenance"]["options"]["vectors"] == ["1,0,0", "2,0,0"]


def test_tables_beside_the_result_or_elsewhere_but_never_in_a_result_elsewhere(tmp_path: Path) -> None:
    result = tmp_path / "p.factorized.h5"
    write_components(result, simulate_demonstration(pixels=64))
    before = result.read_bytes()
    how = ["--laue", "6/m", "--vectors", "1,0,0", "--bootstrap", "5", "--no-picture"]
    assert run("refine", "order", result, *how, "--out", tmp_path / "x") == 0
    assert result.read_bytes() == before
    assert run("supercell", tmp_path / "x" / "p.factorized.h5", "--box", "8", "8", "1", "--boxes", "1") == 0
    assert run("refine", "order", result, *how, "--out", tmp_path / "y", "--no-store") == 0
    assert not (tmp_path / "y" / "p.factorized.h5").exists()
    assert run("refine", "order", result, *how) == 0
    assert result.read_bytes() != before


def test_one_line_of_json_for_each_result(plane: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(plane, tmp_path / "other.h5")
    assert run("factorize", plane, tmp_path / "other.h5", "--out", tmp_path, "--no-picture", "--json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [Path(record["file"]).name for record in records] == ["plane.h5", "other.h5"]
    for record in records:
        assert record["explained"] > 0.5
        assert Path(record["written"][0]).is_file()
        assert {one["name"] for one in record["findings"]} >= {"fit", "coverage"}


def test_quiet_says_nothing_but_what_went_wrong(
    plane: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("factorize", plane, tmp_path / "none.h5", "--out", tmp_path, "--no-picture", "-q") == 2
    said = capsys.readouterr()
    assert not said.out
    assert "none.h5: no such file" in said.err


def test_verbose_says_what_is_done(plane: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("factorize", plane, "--out", tmp_path, "--no-picture", "-v") == 0
    assert "64 x 64 pixels" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error(plane: Path, tmp_path: Path) -> None:
    """unscatter ... | head: no word on standard error, and the exit code of a program ended by the signal."""
    shutil.copy(plane, tmp_path / "other.h5")
    words = ["factorize", str(plane), str(tmp_path / "other.h5"), "--no-picture", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "unscatter", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


@pytest.mark.parametrize("job", COMMANDS)
def test_the_list_of_commands_says_of_each_what_it_says_itself(job: str) -> None:
    first, listed = (load(job).__doc__ or "").splitlines()[0], COMMANDS[job][1]
    assert first.split()[0] == listed.split()[0]


def test_help_of_every_command_needs_neither_torch_nor_matplotlib_nor_numba() -> None:
    code = (
        "import sys; from unscatter.cli import main; from unscatter.cli.dispatch import COMMANDS\n"
        "for job in COMMANDS:\n"
        "    try: main([*job.split(), '--help'])\n"
        "    except SystemExit as end: assert not end.code, end.code\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_an_option_that_cannot_be_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "o.toml").write_text("[classify]\ncolour = 1\n")
    assert run("classify", "a.xy", "--options", tmp_path / "o.toml") == 2
    error = capsys.readouterr().err
    assert "no option 'colour'; there are wavelength" in error
    assert error.count("\n") == 1
    assert run("classify", "a.xy", "--options", tmp_path / "no.toml") == 2
    assert "no.toml: no such file" in capsys.readouterr().err
