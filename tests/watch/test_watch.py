"""A watched folder: each file once, whole files alone, over changes, faults, restarts and kills."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from unscatter.watch import watcher as watching_module
from unscatter.watch.complete import Settling, is_being_written
from unscatter.watch.journal import Journal
from unscatter.watch.rules import USUAL, read_rules, rule_for
from unscatter.watch.watcher import Watcher, Watching, watch


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs that copy a file and remember its name; a file that says `fault` is at fault."""
    done: list[str] = []

    def work(path: Path, options: object, stem: Path) -> tuple[tuple[Path, ...], str]:
        text = path.read_text()
        if "fault" in text:
            raise ValueError(f"{path} is at fault")
        target = Path(f"{stem}.result")
        target.write_text(text)
        done.append(path.name)
        return (target,), "fine"

    monkeypatch.setattr(watching_module, "JOBS", dict.fromkeys(("classify", "factorize"), (object, work)))
    return done


def quick(folder: Path, **more: object) -> Watching:
    return Watching(folder, folder / "out", patience=0.0, **more)  # type: ignore[arg-type]


def told(path: Path, job: str, words: str) -> None:
    """Nothing has to be heard here."""


def test_each_file_is_worked_on_once(tmp_path: Path, counted: list[str]) -> None:
    for name in ("a.xye", "b.xye"):
        (tmp_path / name).write_text("1 2")
    assert watch(quick(tmp_path), told, once=True, polling=True) == {"done": 2}
    assert watch(quick(tmp_path), told, once=True, polling=True) == {"done": 2}
    assert counted == ["a.xye", "b.xye"]


def test_a_file_that_changed_is_worked_on_again(tmp_path: Path, counted: list[str]) -> None:
    (tmp_path / "a.xye").write_text("1 2")
    watch(quick(tmp_path), told, once=True, polling=True)
    (tmp_path / "a.xye").write_text("1 2 and more")
    watch(quick(tmp_path), told, once=True, polling=True)
    assert counted == ["a.xye", "a.xye"]
    assert (tmp_path / "out" / "a.result").read_text() == "1 2 and more"


def test_a_file_at_fault_is_set_aside_with_its_reason_and_tried_again_when_it_changes(
    tmp_path: Path, counted: list[str]
) -> None:
    (tmp_path / "bad.xye").write_text("fault")
    (tmp_path / "good.xye").write_text("1 2")
    assert watch(quick(tmp_path), told, once=True, polling=True) == {"done": 1, "failed": 1}
    note = tmp_path / "out" / "set-aside" / "bad.xye.txt"
    assert "is at fault" in note.read_text()
    assert (tmp_path / "bad.xye").read_text() == "fault"
    (tmp_path / "bad.xye").write_text("1 2 3")
    assert watch(quick(tmp_path), told, once=True, polling=True) == {"done": 2}
    assert not note.exists()


def test_a_growing_file_is_not_complete_until_it_rests(tmp_path: Path) -> None:
    path, settling = tmp_path / "a.xye", Settling(patience=0.05)
    for length in (1, 2, 3):
        path.write_text("1" * length)
        assert not settling.is_complete(path)
        time.sleep(0.01)
    time.sleep(0.06)
    assert settling.is_complete(path)
    path.write_text("")
    time.sleep(0.06)
    assert not settling.is_complete(path)


def test_an_hdf5_file_with_a_writer_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "live.h5"
    with h5py.File(path, "w", libver="latest") as file:
        data = file.create_dataset("data", (0, 4), np.float32, maxshape=(None, 4), chunks=(1, 4))
        file.swmr_mode = True
        data.resize((1, 4))
        data[0] = np.arange(4)
        file.flush()
        assert is_being_written(path)
        assert not Settling(patience=0.0).is_complete(path)
    assert not is_being_written(path)
    assert Settling(patience=0.0).is_complete(path)


def test_once_ends_although_a_file_is_empty_or_held_by_a_writer(tmp_path: Path, counted: list[str]) -> None:
    (tmp_path / "empty.xye").write_text("")
    (tmp_path / "good.xye").write_text("1 2")
    with h5py.File(tmp_path / "live.h5", "w", libver="latest") as file:
        file.create_dataset("data", (1, 4), np.float32)
        file.swmr_mode = True
        assert watch(quick(tmp_path), told, once=True, polling=True)["failed"] == 2
    aside = tmp_path / "out" / "set-aside"
    assert "the file is empty" in (aside / "empty.xye.txt").read_text()
    assert "h5clear -s live.h5" in (aside / "live.h5.txt").read_text()
    (tmp_path / "empty.xye").write_text("1 2")
    watch(quick(tmp_path), told, once=True, polling=True)
    assert counted.count("empty.xye") == 1


def test_files_of_the_same_stem_do_not_overwrite_each_others_results(tmp_path: Path, counted: list[str]) -> None:
    (tmp_path / "scan.xye").write_text("one")
    (tmp_path / "scan.dat").write_text("two")
    watch(quick(tmp_path), told, once=True, polling=True)
    assert (tmp_path / "out" / "scan.xye.result").read_text() == "one"
    assert (tmp_path / "out" / "scan.dat.result").read_text() == "two"


def test_results_and_hidden_files_are_no_inputs() -> None:
    assert rule_for(Path("x.factorized.h5"), USUAL) is None
    assert rule_for(Path(".x.h5"), USUAL) is None
    assert rule_for(Path("notes.pdf"), USUAL) is None
    found = rule_for(Path("scan_001.XYE"), USUAL)
    assert found is not None
    assert found.job == "classify"


def test_rules_give_options_by_name_of_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(
        '[[watch]]\npattern = "n_*.xye"\njob = "classify"\n[watch.options]\nradiation = "neutron"\n'
        '[[watch]]\npattern = "*.xye"\njob = "classify"\n[watch.options]\nradiation = "x-ray"\n'
    )
    rules = read_rules(path)
    assert [rule_for(Path(name), rules).options.radiation for name in ("n_1.xye", "b.xye")] == ["neutron", "x-ray"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write for example"),
        ('[[watch]]\npattern = "*.x"\njob = "bake"', "there are factorize, classify"),
        ('[[watch]]\npattern = "*.x"', "expected pattern, job"),
        ('[[watch]]\npattern = "*.x"\njob = "classify"\n[watch.options]\nwave = 1', "no option 'wave'"),
        ("= =", "no TOML"),
    ],
)
def test_rules_that_cannot_be_say_what_to_write(tmp_path: Path, text: str, advice: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(ValueError, match=advice):
        read_rules(tmp_path / "rules.toml")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder to watch"):
        watch(quick(tmp_path / "nowhere"), told, once=True)


def test_a_file_that_appears_while_watching_is_taken_up(tmp_path: Path, counted: list[str]) -> None:
    stop, heard = threading.Event(), []

    def tell(path: Path, job: str, words: str) -> None:
        heard.append(path.name)
        stop.set()

    thread = threading.Thread(target=watch, args=(quick(tmp_path), tell), kwargs={"stop": stop, "interval": 0.1})
    thread.start()
    (tmp_path / "late.xye").write_text("1 2")
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert heard == ["late.xye"]


KILLED = """
import os, signal, sys
from pathlib import Path
from unscatter.watch import watcher, journal

step, folder = int(sys.argv[1]), Path(sys.argv[2])
taken = 0

def maybe():
    global taken
    taken += 1
    if taken == step:
        os.kill(os.getpid(), signal.SIGKILL)

def work(path, options, stem):
    maybe()
    target = Path(f"{stem}.result")
    temporary = target.with_suffix(".part")
    temporary.write_text(path.read_text())
    maybe()
    temporary.replace(target)
    maybe()
    return (target,), "fine"

class Killed(journal.Journal):
    def note(self, *a, **k):
        maybe()
        super().note(*a, **k)
        maybe()

watcher.Journal = Killed
watcher.JOBS = {"classify": (object, work)}
watcher.watch(watcher.Watching(folder, folder / "out", patience=0.0), lambda *a: None, once=True, polling=True)
"""


def test_a_kill_at_any_step_loses_nothing_and_a_restart_finishes(tmp_path: Path, counted: list[str]) -> None:
    """Every step of a file, and one of the next: the journal is whole, and all is done in the end."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    for step in (*range(1, 8), 10):
        folder = tmp_path / str(step)
        folder.mkdir()
        for name in ("a.xye", "b.xye"):
            (folder / name).write_text(name)
        first = subprocess.run([sys.executable, script, str(step), folder], capture_output=True, text=True)
        assert first.returncode in (0, -signal.SIGKILL), first.stderr
        for result in (folder / "out").glob("*.result"):
            assert result.read_text() == f"{result.stem}.xye"
        done = [
            one.path.name
            for one in Journal(folder / "out" / ".unscatter-watch.sqlite").entries()
            if one.state == "done"
        ]
        counted.clear()
        assert watch(quick(folder), told, once=True, polling=True) == {"done": 2}
        assert set(counted) == {"a.xye", "b.xye"} - set(done)
        assert {path.stem for path in (folder / "out").glob("*.result")} == {"a", "b"}


def test_the_command_classifies_what_is_in_a_folder(tmp_path: Path, small_classifier: str) -> None:
    from unscatter.powder.demonstration import simulate_corundum, write_pattern

    write_pattern(tmp_path / "corundum.xye", simulate_corundum())
    (tmp_path / "broken.xye").write_text("no pattern\n")
    (tmp_path / "report.pdf").write_text("%PDF")
    angles = np.arange(5.0, 90.0, 0.02)
    np.savetxt(tmp_path / "nothing_known.xye", np.column_stack([angles, 100 + 900 * np.exp(-((angles - 30) ** 2))]))
    rules = tmp_path / "rules.toml"
    rules.write_text(
        f'[[watch]]\npattern = "*.xye"\njob = "classify"\n[watch.options]\nweights = "{small_classifier}"\n'
    )
    command = [sys.executable, "-m", "unscatter", "watch", str(tmp_path), "--once", "--rules", str(rules)]
    done = subprocess.run([*command, "--patience", "0"], capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert "1 done, 2 set aside" in done.stdout
    assert "broken.xye: set aside: no numbers found" in done.stdout
    assert "--rules" in next(line for line in done.stdout.splitlines() if "nothing_known" in line)
    assert "2 left alone, of a kind (.pdf, .toml)" in done.stdout
    assert (tmp_path / "unscatter" / "corundum.classified.json").is_file()
    watched = Watcher(quick(tmp_path), told)
    assert watched.status(0).startswith("0 done")
