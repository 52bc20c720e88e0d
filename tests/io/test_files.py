"""Files are written whole or not at all, by one process at a time, and leftovers of killed ones go."""

import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import unscatter.io.files as files
from unscatter.io.files import held, replacing

posix = pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")

WRITING = """
import sys, time
from unscatter.io.files import replacing
with replacing(sys.argv[1]) as part:
    part.write_text("half")
    print(part, flush=True)
    time.sleep(60)
"""


def begin_writing(path: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process in the middle of writing, and its temporary file."""
    process = subprocess.Popen([sys.executable, "-c", WRITING, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@posix
def test_what_a_killed_process_left_goes_with_the_next_write_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    target = tmp_path / "plane [1].h5"
    killed, left = begin_writing(target)
    living, kept = begin_writing(target)
    foreign, other = begin_writing(tmp_path / "another.h5")
    try:
        for process in (killed, foreign):
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert left.exists()
        with replacing(target) as part:
            part.write_text("whole")
        assert not left.exists()
        assert target.read_text() == "whole"
        assert sorted(tmp_path.iterdir()) == sorted([target, kept, other])
    finally:
        living.kill()
        living.communicate()


def test_what_another_machine_left_goes_when_it_is_old(tmp_path: Path) -> None:
    old, young = tmp_path / ".x.csv.elsewhere.17.part", tmp_path / ".x.csv.elsewhere.18.part"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, time.time() - files._LEFT_BEHIND - 1))
    with replacing(tmp_path / "x.csv") as part:
        part.touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "x.csv"]


@posix
def test_names_of_temporary_files_tell_machine_and_process(tmp_path: Path) -> None:
    with replacing(tmp_path / "x.csv") as part:
        part.touch()
        assert part.name.startswith(".x.csv.")
        assert part.name.endswith(f".{os.getpid()}.part")
        assert platform.node().split(".")[0] in part.name


def test_a_file_that_another_holds_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_PATIENCE", 0.2)
    holding = "import sys, time\nfrom unscatter.io.files import held\nwith held(sys.argv[1]):\n print(1, flush=True)\n"
    command = [sys.executable, "-c", holding + " time.sleep(60)", str(tmp_path / "x.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(ValueError, match="held by another process"), held(tmp_path / "x.csv"):
            pass
        process.kill()
    # The lock of a process that is no more holds nobody up.
    with held(tmp_path / "x.csv"):
        pass


def test_a_file_system_without_locks_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import filelock

    def acquire(self: object, *arguments: object, **how: object) -> None:
        raise NotImplementedError("no flock here")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with held(tmp_path / "x.csv"):
        (tmp_path / "x.csv").write_text("a line")
    assert (tmp_path / "x.csv").read_text() == "a line"
