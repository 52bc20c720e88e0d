"""Start files as classify writes them."""

from unscatter.jobs.classify import ClassifyOptions, run, write
from unscatter.powder.demonstration import simulate_corundum


def test_a_fitted_lattice_has_start_files_and_only_where_they_are_wanted(tmp_path):
    ranking = run(simulate_corundum(), ClassifyOptions(start_files=True))
    assert len(write(ranking, tmp_path / "bare", picture=False)) == 2
    written = write(ranking, tmp_path / "al2o3", picture=False, start_files=True)
    assert [path.suffix for path in written] == [".json", ".csv", ".cif", ".instprm", ".pcr", ".inp"]
    assert all(path.stat().st_size > 200 for path in written)
    assert "R -3 c" in written[2].read_text()


def test_without_a_fit_one_line_says_that_there_are_no_start_files(tmp_path):
    ranking = run(simulate_corundum(), ClassifyOptions(start_files=True, engine="none"))
    said = [line for line in ranking.assumptions if "no start files" in line]
    assert len(said) == 1
    assert "\n" not in said[0]
    assert "no start files" in ranking.describe()
    written = write(ranking, tmp_path / "al2o3", picture=False, start_files=True)
    assert [path.suffix for path in written] == [".json", ".csv"]
