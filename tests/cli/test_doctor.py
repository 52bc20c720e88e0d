"""The doctor says what is there, and runs the demonstration."""

import pytest

from unscatter.cli.about import doctor


def test_the_doctor_finds_weights_whole_and_runs_the_demonstration(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor() == 0
    told = capsys.readouterr().out
    assert "group-230        whole" in told
    assert "demonstration    done" in told
