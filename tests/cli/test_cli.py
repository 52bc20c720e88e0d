"""The commands, as a user types them."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.cli import main
from unscatter.diffuse.demonstration import simulate_demonstration
from unscatter.io.results.components import read_components, write_plane


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return int(caught.value.code or 0)


@pytest.fixture(scope="module")
def plane_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "plane.h5"
    write_plane(path, simulate_demonstration(pixels=128).plane)
    return path


def test_factorize_writes_a_result_and_a_picture(
    plane_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("factorize", str(plane_file), "--out", str(tmp_path)) == 0
    components = read_components(tmp_path / "plane.factorized.h5")
    assert components.plane.simulated
    assert components.provenance["input"] == "plane.h5"
    assert (tmp_path / "plane.factorized.png").read_bytes().startswith(b"\x89PNG")
    screen = capsys.readouterr().out
    for word in ("simulated", "128 x 128", "known", "explained", "factorize-256"):
        assert word in screen


def test_axes_and_cell_from_the_command_line(tmp_path: Path) -> None:
    plane = simulate_demonstration(pixels=128).plane
    np.save(tmp_path / "bare.npy", np.nan_to_num(plane.intensity))
    code = run(
        "factorize", str(tmp_path / "bare.npy"), "--out", str(tmp_path), "--no-picture",
        "--cell", "14.12", "14.12", "6.93", "90", "90", "120", "--axes", "h=-6:6 k=-6:6 l=1",
    )  # fmt: skip
    assert code == 0
    components = read_components(tmp_path / "bare.factorized.h5")
    assert components.provenance["lattice"] == "known"
    assert components.plane.axes is not None
    assert components.plane.axes.name() == "hk1"
    assert not (tmp_path / "bare.factorized.png").exists()


def test_one_bad_file_does_not_stop_the_rest(
    plane_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.h5"
    bad.write_text("this is no diffraction file")
    assert run("factorize", str(bad), str(plane_file), "--out", str(tmp_path), "--no-picture") == 2
    assert (tmp_path / "plane.factorized.h5").exists()
    assert "1 of 2 files failed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nosuch.h5",),
        ("{bad}",),
        ("{plane}", "--weights", "nonsense"),
        ("{plane}", "--cell", "5", "5", "5", "30", "30", "120"),
        ("{negative}",),
        ("{nothing}",),
        ("{cube}",),
        ("{truncated}",),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(
    arguments: tuple[str, ...], plane_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.h5").write_text("no diffraction file")
    np.save(tmp_path / "negative.npy", np.full((32, 32), -1.0))
    np.save(tmp_path / "nothing.npy", np.full((32, 32), np.nan))
    np.save(tmp_path / "cube.npy", np.ones((8, 8, 8, 8)))
    (tmp_path / "truncated.h5").write_bytes(plane_file.read_bytes()[:3000])
    names = {"plane": plane_file} | {
        n: tmp_path / f"{n}.{'h5' if n in ('bad', 'truncated') else 'npy'}"
        for n in ("bad", "negative", "nothing", "cube", "truncated")
    }
    out = tmp_path / "out"
    assert run("factorize", *[a.format(**names) for a in arguments], "--out", str(out)) == 2
    message = capsys.readouterr().err.strip()
    assert message.startswith("unscatter: ")
    assert "\n" not in message
    assert not out.exists() or not list(out.iterdir())


def test_no_such_plane_in_the_volume(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with h5py.File(tmp_path / "volume.h5", "w") as file:
        file["data"] = np.ones((9, 9, 9))
        file["format"] = "Yell 1.0"
        file["is_direct"] = False
        file["lower_limits"] = [-4.0, -4.0, -4.0]
        file["step_sizes"] = [1.0, 1.0, 1.0]
        file["unit_cell"] = [5.0, 5.0, 5.0, 90.0, 90.0, 90.0]
    assert run("factorize", str(tmp_path / "volume.h5"), "--plane", "hk9", "--out", str(tmp_path)) == 2
    assert "-4" in capsys.readouterr().err


def test_cite_prints_what_made_the_result(plane_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("factorize", str(plane_file), "--out", str(tmp_path), "--no-picture")
    assert run("cite", str(tmp_path / "plane.factorized.h5")) == 0
    assert "Fuller & Rudden" in capsys.readouterr().out


def test_importing_unscatter_is_light() -> None:
    code = (
        "import sys, unscatter; unscatter.Cell; "
        "sys.exit(any(m in sys.modules for m in ('torch', 'matplotlib', 'scipy', 'onnxruntime', 'numba')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_factorizing_never_imports_torch(plane_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from unscatter.cli import main\n"
        f"try: main(['factorize', {str(plane_file)!r}, '--out', {str(tmp_path)!r}])\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
