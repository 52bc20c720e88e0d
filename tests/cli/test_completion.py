"""The TAB key: what the shell offers after each word."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); COMPREPLY=()
_tyro_unscatter
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "unscatter.bash"
    command = [sys.executable, "-m", "unscatter", "completion", "bash"]
    path.write_text(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
    return path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("unscatter class", {"classify"}),
        ("unscatter refine ''", {"order", "molecules"}),
        ("unscatter refine order --la", {"--laue"}),
        ("unscatter refine order --against ''", {"data", "order"}),
        ("unscatter classify --radiation ''", {"neutron", "x-ray"}),
    ],
)
def test_commands_options_and_choices_are_offered(script: Path, words: str, offered: set[str]) -> None:
    text = TRY.format(script=script, words=words)
    said = subprocess.run(["bash", "-c", text], check=True, capture_output=True, encoding="utf-8").stdout
    assert set(said.split()) - {"-h", "--help", "None"} == offered
