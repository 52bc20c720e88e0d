"""What a table says of each file is used, in every spelling, or refused with its line."""

import re
from pathlib import Path

import pytest

from unscatter.jobs.pattern_files import outside_of_table, read_table

TABLES = {
    "as documented": ("file,wavelength,radiation\na.xy,1.5406,x-ray\n", {"wavelength": 1.5406, "radiation": "x-ray"}),
    "a spreadsheet": ("Filename;Wavelength (Å);Radiation\na.xy;1,5406;X-rays\n", None),
    "nanometres": ("file name\tlambda [nm]\tprobe\na.xy\t0.15406\txray\n", None),
    "quoted, with remarks": ('# mine\n"file","wavelength","radiation"\n"a.xy","1.5406 A","X"\n', None),
    "an energy": ("file,energy (keV),radiation\na.xy,8.0477862,synchrotron\n", None),
    "an energy of neutrons": ("file,wavelength,radiation\na.xy,34.4661 meV,neutrons\n", {"wavelength": 1.5406,
                                                                                          "radiation": "neutron"}),
    "an anode": ("file,anode\na.xy,Cu\n", {"wavelength": 1.5405929}),
    "an axis": ("file,axis\na.xy,2Theta\n", {"axis": "two-theta"}),
    "Q": ("file,axis,sample,temperature\na.xy,Q,CeO2,300\n", {"axis": "q"}),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", TABLES)
def test_a_row_says_what_is_known_of_a_file(name: str, encoding: str, tmp_path: Path) -> None:
    text, known = TABLES[name]
    (tmp_path / "files.csv").write_text(text, encoding=encoding)
    (row,) = read_table(tmp_path / "files.csv").values()
    known = known or {"wavelength": 1.5406, "radiation": "x-ray"}
    assert {key: round(value, 4) if key == "wavelength" else value for key, value in row.items()} == {
        key: round(value, 4) if key == "wavelength" else value for key, value in known.items()
    }


REFUSED = {
    "file,wavelenght\na.xy,1.5\n": r"has a column 'wavelenght', .* if wavelength is meant, call it so",
    "file,radation\na.xy,x\n": "if radiation is meant",
    "file,wavelength\na.xy,1.5\na.xy,0.7\n": "line 3: a.xy stands in the table twice",
    "file,energy\na.xy,30\n": r"line 2: energy '30' has no unit; expected one, for example energy \(keV\)",
    "file,wavelength\na.xy,Cu Ka\n": "line 2: wavelength 'Cu Ka'; expected a number",
    "file,wavelength\na.xy,0\n": "line 2: .*0.05 to 20 A",
    "file,anode\na.xy,Xx\n": "anode 'Xx' is not known",
    "name_of_sample,wavelength\na.xy,1.5\n": "expected file and any of wavelength",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_is_refused_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "files.csv").write_text(text)
    with pytest.raises(ValueError, match=REFUSED[text]) as caught:
        read_table(tmp_path / "files.csv")
    assert "\n" not in str(caught.value)


def test_folders_may_be_parted_as_windows_does(tmp_path: Path) -> None:
    (tmp_path / "files.csv").write_text("file,wavelength\nday 1\\a.xy,1.5\n")
    assert list(read_table(tmp_path / "files.csv")) == [tmp_path / "day 1" / "a.xy"]


def test_files_without_a_row_are_told(tmp_path: Path) -> None:
    known = {tmp_path / "a.xy": {"wavelength": 1.5}}
    assert outside_of_table([tmp_path / "a.xy"], known) == ""
    assert outside_of_table([tmp_path / "b.xy"], {}) == ""
    told = outside_of_table([tmp_path / "a.xy", tmp_path / "b.xy"], known)
    assert re.search(r"no row for 1 of 2 files \(b.xy\)", told)
