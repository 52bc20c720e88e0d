"""Bars show after two seconds on a terminal, and nowhere else."""

import logging
import os
import subprocess
import sys

import pytest

from unscatter.progress import is_quiet, steps

SLOW = """
import sys, time, unscatter.progress as p
p.PATIENCE = 0.05
for _ in p.steps(range(8), "drawing boxes"): time.sleep(0.2)
"""


def test_things_pass_through_in_order() -> None:
    assert list(steps(range(5), "nothing")) == [0, 1, 2, 3, 4]


def seen_on_a_terminal(code: str) -> str:
    """What a program writes where its standard error is a terminal."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    process = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    return said.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals")
def test_what_takes_long_shows_a_bar_on_a_terminal_but_not_when_quiet() -> None:
    assert "drawing boxes" in seen_on_a_terminal(SLOW)
    assert not seen_on_a_terminal(SLOW.replace("0.05\nfor", "60\nfor"))
    quiet = "import logging; logging.getLogger('unscatter').setLevel(logging.ERROR)" + SLOW
    assert not seen_on_a_terminal(quiet)


def test_a_log_has_no_bars() -> None:
    command = [sys.executable, "-c", SLOW]
    assert not subprocess.run(command, check=True, capture_output=True).stderr


def test_quiet_is_what_the_log_says() -> None:
    logger = logging.getLogger("unscatter")
    before = logger.level
    try:
        logger.setLevel(logging.ERROR)
        assert is_quiet()
        logger.setLevel(logging.WARNING)
        assert not is_quiet()
    finally:
        logger.setLevel(before)
