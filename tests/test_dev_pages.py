"""The pages of docs/dev that tell how to add something are followed: their code is run as it stands there."""

import json
import linecache
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import numpy as np
import pytest

import unscatter
from unscatter.cli import main
from unscatter.powder.demonstration import simulate_corundum, write_pattern

PAGES = Path(__file__).parents[1] / "docs" / "dev"


def blocks(page: str) -> list[str]:
    """The Python of a page, block by block, without the indentation of a list."""
    text = (PAGES / page).read_text(encoding="utf-8")
    found = re.findall(r"^( *)```python\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    return ["\n".join(line.removeprefix(indent) for line in code.split("\n")) for indent, code in found]


def module(monkeypatch: pytest.MonkeyPatch, name: str, code: str) -> ModuleType:
    """The code of a page as the module that the page says it is."""
    made, place = ModuleType(name), f"<{name}>"
    monkeypatch.setitem(sys.modules, name, made)
    # Where its source is asked for, as for the help of options, it must be found.
    made.__file__ = place
    monkeypatch.setitem(linecache.cache, place, (len(code), None, code.splitlines(keepends=True), place))
    exec(compile(code, place, "exec"), made.__dict__)
    parent, _, short = name.rpartition(".")
    monkeypatch.setattr(import_module(parent), short, made, raising=False)
    return made


def test_a_format_of_planes_is_a_module_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unscatter.io.planes import read

    form = module(monkeypatch, "unscatter.io.planes.esri_grid", blocks("add-a-format.md")[0])
    monkeypatch.setattr(read, "FORMATS", (form, *read.FORMATS))
    path = tmp_path / "plane.asc"
    head = "ncols 3\nnrows 2\nxllcorner 0\nyllcorner 0\ncellsize 1\nnodata_value -9\n"
    path.write_text(f"{head}4 5 -9\n1 0 3\n")
    plane = unscatter.read_plane(path)
    np.testing.assert_array_equal(plane.intensity, [[1, 0, 3], [4, 5, np.nan]])
    path.write_text(f"{head}4 5 -9\n")
    with pytest.raises(ValueError, match="announces 2 rows and has 1"):
        unscatter.read_plane(path)


def test_a_format_of_patterns_is_a_module_and_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unscatter.io.patterns import read

    form = module(monkeypatch, "unscatter.io.patterns.tiny_json", blocks("add-a-format.md")[1])
    monkeypatch.setattr(read, "FORMATS", (form, *read.FORMATS))
    q = np.linspace(1, 6, 200)
    table = {"instrument": "tiny", "axis": "Q (1/A)", "lambda": "1.54 A", "x": q.tolist(), "y": (100 + q).tolist()}
    path = tmp_path / "scan.json"
    path.write_text(json.dumps(table))
    pattern = unscatter.read_pattern(path)
    assert pattern.wavelength == pytest.approx(1.54)
    np.testing.assert_allclose(4 * np.pi / 1.54 * np.sin(np.radians(pattern.two_theta / 2)), q)


FOLLOWED = """
import numpy as np
from dataclasses import replace
from unscatter.diffuse.samples.artefacts import add_stripes
from unscatter.diffuse.samples.draw import collate, draw_sample, render
from unscatter.diffuse.samples.recipe import DiffuseRecipe

plane = np.ones((2, 4, 4))
np.testing.assert_array_equal(add_stripes(plane, np.zeros(2)), plane)
np.testing.assert_allclose(add_stripes(plane, np.array([0.1, 0.2]))[:, :, 0], [[1, 1.1, 1, 1.1], [1, 1.2, 1, 1.2]])
recipe = DiffuseRecipe("x", pixels=32, artefacts=0.0, monte_carlo=0.0)
planes = [render(collate(one, [draw_sample(one, 1, 0)])).intensity[0] for one in
          (recipe, replace(recipe, stripes=(0.5, 0.5)))]
np.savez(OUT, *planes)
"""


def add_line(path: Path, before: str, line: str) -> None:
    """Put a line of the page before one of the file that is there once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{before!r} stands {text.count(before)} times in {path.name}"
    path.write_text(text.replace(before, line.rstrip("\n") + "\n" + before), encoding="utf-8")


def test_an_artefact_is_a_function_a_field_and_five_lines(tmp_path: Path) -> None:
    from unscatter.diffuse.samples.draw import collate, draw_sample, render
    from unscatter.diffuse.samples.recipe import DiffuseRecipe

    copy = tmp_path / "unscatter"
    shutil.copytree(Path(unscatter.__file__).parent, copy, ignore=shutil.ignore_patterns("weights", "__pycache__"))
    function, field, draw_field, batch_field, drawn, stacked, rendered = blocks("add-an-artefact.md")
    samples = copy / "diffuse" / "samples"
    with (samples / "artefacts.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\n{dedent(function)}")
    add_line(samples / "recipe.py", "    order_strength: Range", field)
    draw = samples / "draw.py"
    add_line(draw, "    names: tuple[str, str]\n", draw_field)
    add_line(draw, "    whole_counts: Array\n", batch_field)
    add_line(draw, "        names=(a.name, b.name),\n", drawn)
    add_line(draw, "        whole_counts=np.full(", stacked)
    add_line(draw, "    return Samples(", rendered)
    draw.write_text(draw.read_text().replace("    add_background,\n", "    add_background,\n    add_stripes,\n"))
    script = FOLLOWED.replace("OUT", repr(str(tmp_path / "planes.npz")))
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, text=True,
                          capture_output=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    plain, striped = np.load(tmp_path / "planes.npz").values()
    recipe = DiffuseRecipe("x", pixels=32, artefacts=0.0, monte_carlo=0.0)
    # A recipe that knows nothing of it draws what it drew before.
    np.testing.assert_allclose(plain, render(collate(recipe, [draw_sample(recipe, 1, 0)])).intensity[0])
    np.testing.assert_allclose(striped[0::2], plain[0::2])
    np.testing.assert_allclose(striped[1::2], plain[1::2] + 0.5 * plain.mean())


def test_a_network_is_a_module_and_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="networks are trained with PyTorch")
    pytest.importorskip("lightning_fabric", reason="networks are trained with Lightning Fabric")
    from unscatter.train.checkpoint import read_module, read_record

    network, training = blocks("add-a-network.md")
    nn = module(monkeypatch, "unscatter.nn.two_layers", network)
    hall = module(monkeypatch, "unscatter.train.diffuse.two_layers", training)
    recipe = tmp_path / "tiny.toml"
    recipe.write_text("pixels = 32\nphysical = true\nscans = 4\nleast_coverage = 0.3\n")
    options = hall.TwoLayersTraining(
        out=tmp_path / "run", minutes=10, steps=3, recipes=(str(recipe),), batch=4, validation_batches=1, threads=1,
        network=nn.TwoLayersConfig(width=4, size=32),
    )  # fmt: skip
    checkpoint = hall.train_two_layers(options)
    record = read_record(checkpoint)
    assert record["step"] == 3
    assert record["scores"][-1]["tiny/I_SRO"] > 0
    torch.manual_seed(options.seed)
    untrained = nn.TwoLayers(options.network).state_dict()
    assert not torch.equal(read_module(checkpoint, "network")["enter.weight"], untrained["enter.weight"])


def test_a_job_is_a_module_and_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from unscatter.cli import dispatch

    job, command = blocks("add-a-job.md")[1:3]
    jobs = module(monkeypatch, "unscatter.jobs.lines", job)
    module(monkeypatch, "unscatter.cli.listing", command)
    monkeypatch.setitem(dispatch.COMMANDS, "lines", ("listing", "Find the lines of a powder pattern."))
    write_pattern(tmp_path / "corundum.xye", simulate_corundum())

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        assert not ended.value.code
        return capsys.readouterr().out

    told = run(
        "lines", str(tmp_path / "corundum.xye"), "--out", str(tmp_path), "--wavelength", "1.5403", "--least", "0.2"
    )
    written = json.loads((tmp_path / "corundum.lines.json").read_text())
    every = jobs.lines(tmp_path / "corundum.xye", wavelength=1.5403)
    assert f"{len(written['d'])} lines" in told
    assert 3 < len(written["d"]) < len(every.lines)
    # (113) and (116) of corundum, its strong lines with neutrons.
    assert np.min(np.abs(np.array(written["d"]) - 2.086)) < 0.003
    assert np.min(np.abs(np.array(written["d"]) - 1.602)) < 0.003
    (tmp_path / "again.toml").write_text(run("options", str(tmp_path / "corundum.lines.json")))
    run(
        "lines",
        str(tmp_path / "corundum.xye"),
        "--out",
        str(tmp_path / "again"),
        "--options",
        str(tmp_path / "again.toml"),
    )
    assert json.loads((tmp_path / "again" / "corundum.lines.json").read_text())["d"] == written["d"]
