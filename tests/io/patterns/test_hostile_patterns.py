"""Damaged and hostile patterns end in a pattern or in one line, soon and in little memory."""

from __future__ import annotations

import resource
import sys
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pattern_writers as w
import pytest
from test_named_grids import RIGAKU, WRITTEN
from test_passes import SORTED, spec
from test_pattern_formats import LAYOUTS
from test_pattern_kinds import AMCSD, FIRST, REST, scan, xrdml

from unscatter.io.patterns import read_lines, read_pattern

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from damaged import damage, ends_well

SEEDS = 200

WRITERS: dict[str, Callable[[], bytes]] = {
    **{layout.__name__: layout for layout in LAYOUTS},
    "named columns": lambda: w.text("Q (1/A)")[:9000],
    "pyFAI": lambda: w.pyfai("q_nm^-1")[:9000],
    "UTF-16": lambda: w.text("2Theta", encoding="utf-16-le")[:9000],
    "CIF": lambda: w.cif()[:9000],
    "CIF, dotted": lambda: w.cif(dotted=True)[:9000],
    "NeXus over Q": lambda: w.nexus("Q", "1/nm", scaled=True),
    "Philips UDF": w.philips_udf,
    "Philips RD": lambda: w.philips_rd()[0],
    "Sietronics CPI": w.sietronics_cpi,
    "Jade MDI": w.jade_mdi,
    "FullProf PRF": w.fullprof_prf,
    "Bruker BRML": w.bruker_brml,
    "XRDML of two ranges": lambda: xrdml(scan(FIRST), scan(REST)),
    "SPEC": lambda: spec(("TwoTheta  det", w.TWO_THETA[:300], w.COUNTS[:300]), ("Q(A^-1)  I", w.Q, w.COUNTS)),
    "ranges that overlap": lambda: SORTED["ranges that overlap"],
    "Rigaku .asc": RIGAKU.encode,
    "start stop step": WRITTEN["start stop step"].encode,
    "list of lines": AMCSD.encode,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", WRITERS)
def test_damage_ends_in_a_pattern_or_in_one_line(name: str, folder: Path) -> None:
    whole = WRITERS[name]()
    path = folder / "pattern"
    read = read_lines if name == "list of lines" else read_pattern
    for seed in range(SEEDS):
        path.write_bytes(damage(whole, seed))
        started = time.process_time()
        ends_well(read, path)
        assert time.process_time() - started < 10


def zipped(members: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


ROW = b"20.0 50 1\n"
CLAIMS: dict[str, Callable[[], bytes]] = {
    "a bank of a million million points": lambda: b"t\nBANK 1 999999999999 9 CONST 1000 2 0 0 STD\n     1     2\n" * 1,
    "start step stop of a step of nothing": lambda: b"t\n 0.001 0.001 180\n" + b"1 " * 50,
    "raw of 2^32 points": lambda: b"RAW " + b"\xff" * 400,
    "RAW1.01 of 2^32 points": lambda: b"RAW1.01\0" + b"\xff" * 2000,
    "RAW4.00 of 2^32 points": lambda: b"RAW4.00\0" + bytes(53) + bytes(72) + b"\xff" * 300,
    "MDI of a million million": lambda: b"t\n 10 0.02 1 CU 1.5406 90 999999999999\n 1 2 3\n",
    "UDF of a tiny step": lambda: b"DataAngleRange, 1, 99,/\nScanStepSize, 1e-12,/\nRawScan\n 1, 2,/\n",
    "CPI of a tiny step": lambda: b"SIETRONICS XRD SCAN\n1\n99\n1e-12\nCu\n1.54\n\n\n\nSCANDATA\n1\n2\n",
    "RD of a tiny step": lambda: bytes(w.philips_rd()[0][:214]) + np.array([1e-9, 1, 99.0]).tobytes() + bytes(100),
    "ten thousand openings of RAS": lambda: b"*RAS_DATA_START\n" + b"*RAS_INT_START\n" * 10_000,
    "ten thousand scans of RAS": lambda: (
        b"*RAS_DATA_START\n" + (b"*RAS_INT_START\n" + ROW + b"*RAS_INT_END\n") * 10_000
    ),
    "one line of 32 MB": lambda: b"1 " * 2**24,
    "one line of 14 MB": lambda: b"20.0 1 " * 2**21,
    "a header of names": lambda: (
        b"# 2theta " + b"column 1 : " * 80 + b"\n" + (b"column 1 : " * 80 + b"\n") * 500 + ROW * 60
    ),
    "three hundred thousand banks": lambda: b"t\n" + b"BANK 1 10 1 CONST 2000 5 0 0 STD\n" * 300_000,
    "a BRML of a million steps": lambda: zipped(
        {"Experiment0/RawData0.xml": b"<R><DataRoute>" + b"<Datum>1,2,3</Datum>" * 1_000_000 + b"</DataRoute></R>"}
    ),
    "numbers of a million digits": lambda: b"1" * 2**20 + b" 2\n" + ROW * 60,
    "brackets of JSON": lambda: b"# {" + b'"a":[' * 100_000 + b"\n" + ROW * 60,
    "XML of a hundred thousand floors": lambda: b"<xrdMeasurements>" + b"<a>" * 100_000,
    "a member of 55 MB": lambda: zipped({"Data0/Profile0.txt": b"0 " * (28 * 2**20)}),
    "ten members of 20 MB": lambda: zipped({f"Data{i}/Profile{i}.txt": ROW * 2**21 for i in range(10)}),
    "a CIF of a hundred thousand blocks": lambda: b"".join(b"data_%d\n_a 1\n" % i for i in range(100_000)),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_are_not_believed(name: str, tmp_path: Path) -> None:
    path = tmp_path / "pattern"
    path.write_bytes(CLAIMS[name]())
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert ends_well(read_pattern, path) == "refused"
    assert time.process_time() - started < 10
    # kilobytes on Linux
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20
