"""Each refusal says what was seen, what was expected and what to type: what it advises, followed literally, helps."""

import gzip
import re
from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import D, Q, X, Y, scan, table, xrdml

from unscatter.io.patterns import read_lines, read_pattern
from unscatter.nouns.pattern import Pattern

WAVELENGTH = "# wavelength 1.5406 A"
WARM, HOT = (f"<nonAmbientValues type='Temperature'>{t}</nonAmbientValues>" for t in (300, 500))

#: A file that is refused, what was known beside it, and the words of the refusal.
OPTIONS: dict[str, tuple[bytes, dict[str, object], str]] = {
    "d without a wavelength": (table("# d (A)  I", D, Y), {}, "d (A), not two-theta, and no wavelength"),
    "Q without a wavelength": (table("# Q (1/A)  I", Q, Y), {}, "no wavelength is given"),
    "too long a wavelength": (table("# d (A)  I", D, Y), {"wavelength": 2.5}, "out of reach of the wavelength 2.5 A"),
    "impossible wavelength": (table("# wavelength 154.06 A\n# 2theta I", X, Y), {}, "states a wavelength of 154.1 A"),
    "no such data block": (w.cif(), {"block": "other"}, "no data block 'other'; the file has pattern"),
    "no such group": (w.nexus("two_theta", "deg"), {"block": "entry/other"}, "no NXdata group"),
    "no such scan": (xrdml(scan()), {"block": "7"}, "no scan '7'; the file has 1"),
    "scans at two temperatures": (xrdml(scan(more=WARM), scan(more=HOT, factor=2)), {}, "different temperatures"),
    "scans that overlap": (xrdml(scan(), scan(slice(300, 600))), {}, "2 scans that overlap"),
    "omega that is two-theta": (table(f"{WAVELENGTH}\n# omega counts", X, Y), {}, "'omega' is another angle"),
    "Q without a name": (table(WAVELENGTH, Q, Y), {}, "say what it is with --axis"),
    # a quarter of the wavelength, four times Q: the same angles
    "Q in 1/nm beyond 180": (table("# wavelength 0.38515 A", 40 * Q, Y), {}, "expected two-theta of at most 180 deg"),
}


def advised(message: str) -> dict[str, object]:
    """The options that a refusal proposes, as a user would type them."""
    found: dict[str, object] = dict(re.findall(r"--(axis|block|wavelength) (\S+?)[,;)]?(?=\s|$)", message))
    return found | ({"wavelength": float(str(found["wavelength"]))} if "wavelength" in found else {})


@pytest.mark.parametrize(
    "name", [name for name in OPTIONS if not name.startswith("Q in") and name != "Q without a name"]
)
def test_the_option_that_is_advised_reads_the_pattern(name: str, tmp_path: Path) -> None:
    data, known, words = OPTIONS[name]
    path = tmp_path / "scan"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_pattern(path, **known)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith("scan: ")
    assert "expected" in message or "choose" in message
    options = known | advised(message)
    assert options != known
    pattern = read_pattern(path, **options)  # type: ignore[arg-type]
    np.testing.assert_allclose(spacings(pattern), D, rtol=1e-6)
    np.testing.assert_allclose(pattern.intensity, Y)


def spacings(pattern: Pattern) -> np.ndarray:
    return (pattern.wavelength or w.WAVELENGTH) / (2 * np.sin(np.radians(pattern.two_theta / 2)))


@pytest.mark.parametrize(("name", "axis"), [("Q without a name", "q"), ("Q in 1/nm beyond 180", "q-nm")])
def test_an_axis_without_a_name_is_named_as_advised(name: str, axis: str, tmp_path: Path) -> None:
    data, _, words = OPTIONS[name]
    path = tmp_path / "scan"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words) as caught:
        read_pattern(path)
    assert re.search(rf"\b{axis}\b", str(caught.value))
    pattern = read_pattern(path, axis=axis)  # type: ignore[arg-type]
    np.testing.assert_allclose(pattern.two_theta, X, atol=2e-5)
    np.testing.assert_allclose(pattern.intensity, Y)


ROWS = [f"{x:.4f} {y:.0f}" for x, y in zip(X, Y, strict=True)]


def joined(*rows: str) -> bytes:
    return "\n".join([WAVELENGTH, "# 2theta counts", *rows, ""]).encode()


#: A file that is refused, the words, and the file as the refusal wants it.
REPAIRS: dict[str, tuple[bytes, str, bytes]] = {
    "a line cut short": (joined(*ROWS, "80.0"), "complete the line or take it out", joined(*ROWS)),
    "a line of words": (
        joined(*ROWS[:600], f"{ROWS[600]}x", *ROWS[600:]),
        "correct it or take it out",
        joined(*ROWS),
    ),
    "packed": (gzip.compress(joined(*ROWS)), "unpack it with gunzip", joined(*ROWS)),
    "one column": (
        joined(*(f"{y:.0f}" for y in Y)).replace(b"# 2theta counts\n", b""),
        "put the angle before every number",
        joined(*ROWS),
    ),
    "negative uncertainties": (
        table(f"{WAVELENGTH}\n# 2theta counts sigma", X, Y, -Y),
        "take that column out",
        joined(*ROWS),
    ),
    "time of flight": (
        table("# TOF (us)  counts", 100 * X, Y),
        "export the pattern over d and type --axis d --wavelength 1.0",
        table("", D, Y),
    ),
    "energies": (
        table("# Energy (keV)  counts", X, Y),
        "d = 12.398 / (2 E sin theta), and type --axis d --wavelength 1.0",
        table("", D, Y),
    ),
    "a binary file": (bytes(500), "export the scan as two columns of text (.xy)", joined(*ROWS)),
    "numbers without angles": (
        w.cif().replace(b"_pd_meas_2theta_scan", b"_pd_meas_other_angle"),
        "expected _pd_meas_2theta_scan",
        w.cif(),
    ),
    "a list of lines": (
        b"h k l 2theta I\n" + b"".join(b"1 1 %d %d.5 50\n" % (i, 20 + i) for i in range(40)),
        "give the measured pattern",
        joined(*ROWS),
    ),
}


@pytest.mark.parametrize("name", REPAIRS)
def test_the_file_that_is_advised_is_read(name: str, tmp_path: Path) -> None:
    bad, words, good = REPAIRS[name]
    path = tmp_path / "scan"
    path.write_bytes(bad)
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        read_pattern(path)
    path.write_bytes(good)
    pattern = read_pattern(path, **advised(str(caught.value)))  # type: ignore[arg-type]
    np.testing.assert_allclose(spacings(pattern), D, rtol=1e-5)
    np.testing.assert_allclose(pattern.intensity, Y)


def test_bare_lines_are_read_as_advised(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_text("3.1241 100\n2.7057 27\n1.9132 47\n")
    with pytest.raises(ValueError, match=r"add --axis two-theta \(or d"):
        read_lines(path)
    np.testing.assert_allclose(read_lines(path, axis="d").d, [3.1241, 2.7057, 1.9132])
    with pytest.raises(ValueError, match="add for example --wavelength") as caught:
        read_lines(path, axis="two-theta")
    assert read_lines(path, axis="two-theta", **advised(str(caught.value))).wavelength == 1.5406  # type: ignore[arg-type]
