"""What changes the meaning of a count from point to point is applied, told or refused, never passed over."""

import re
from pathlib import Path

import h5py
import numpy as np
import pattern_writers as w
import pytest
from test_pattern_kinds import HEAD, RISING, changed, loop, scan, table, told, xrdml
from test_same_pattern import assert_same, read

X, Y = w.TWO_THETA, w.COUNTS
#: A factor that changes once, as an attenuator does that is moved in.
STEP = np.where(X < 40, 10.0, 1.0)
LOW, HIGH = slice(None, 600), slice(600, None)


def rows(*columns: np.ndarray) -> str:
    return "\n".join(" ".join(f"{value:.9g}" for value in row) for row in zip(*columns, strict=True)) + "\n"


# --- columns of text --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["att", "Attenuator", "attenuation_factor", "filter", "transmission", "scale", "dark counts", "efficiency"]
)
def test_a_column_that_may_be_a_factor_is_refused_only_where_it_changes(name: str, tmp_path: Path) -> None:
    constant = read(tmp_path, table(f"2theta,Counts,{name}", X, Y, 0 * X + 3, separator=","))
    np.testing.assert_array_equal(constant.intensity, Y)
    with pytest.raises(ValueError, match=f"the column '{name}' changes between 1 and 10.*two columns of text"):
        read(tmp_path, table(f"2theta,Counts,{name}", X, Y, STEP, separator=","))


def test_a_monitor_that_falls_to_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the column 'Monitor' falls to 0"):
        read(tmp_path, table("2theta,Counts,Monitor", X, Y, np.where(X > 60, 0, 100), separator=","))


# --- vendors ----------------------------------------------------------------------------------------------------------


def uxd(mark: str, body: str, *, time: str = "_STEPTIME=1.0") -> str:
    return f"_FILEVERSION=2\n_WL1=1.5406\n_DRIVE='COUPLED'\n_STEPSIZE=0.05\n_START={X[0]}\n{time}\n{mark}\n{body}"


def test_the_times_of_the_points_of_uxd_are_applied(tmp_path: Path) -> None:
    for data in (
        uxd("_2THETACOUNTSTIME", rows(X, Y * RISING / 2, RISING)),
        uxd("_COUNTSTIME", rows(Y * RISING / 2, RISING)),
    ):
        pattern = read(tmp_path, data.encode())
        assert_same(pattern)
        assert told(pattern, "longest counting time of a point")


def test_ranges_of_counts_and_of_counts_per_second_are_not_joined(tmp_path: Path) -> None:
    second = f"_START={X[600]}\n_CPS\n" + rows(Y[HIGH])
    with pytest.raises(ValueError, match=r"counts and of counts per second.*--block 1"):
        read(tmp_path, (uxd("_COUNTS", rows(Y[LOW])) + second).encode())


def ras(*parts: tuple[slice, float], speed_unit: str = "deg/min", factor: np.ndarray = 0 * X + 1) -> bytes:
    """Scans at so many degrees a minute, whose counts are what that time gives."""
    text = "*RAS_DATA_START\n"
    for part, speed in parts:
        text += f'*RAS_HEADER_START\n*MEAS_SCAN_SPEED "{speed}"\n*MEAS_SCAN_SPEED_UNIT "{speed_unit}"\n'
        text += '*MEAS_SCAN_UNIT_Y "counts"\n*HW_XG_WAVE_LENGTH_ALPHA1 "1.5406"\n*RAS_HEADER_END\n*RAS_INT_START\n'
        text += rows(X[part], Y[part] / factor[part] / speed, factor[part]) + "*RAS_INT_END\n"
    return text.encode()


def test_scans_of_rigaku_are_joined_by_their_speeds(tmp_path: Path) -> None:
    pattern = read(tmp_path, ras((LOW, 2.0), (HIGH, 1.0), factor=STEP))
    np.testing.assert_allclose(pattern.intensity, Y, rtol=1e-6)
    assert told(pattern, "scaled to the longest counting time, 3 s")


def test_scans_without_times_are_joined_as_they_are_which_is_told(tmp_path: Path) -> None:
    pattern = read(tmp_path, ras((LOW, 1.0), (HIGH, 1.0), speed_unit="?"))
    assert told(pattern, "as they are: not each has a counting time")


def test_attenuation_of_xrdml_is_applied_to_counts_or_refused(tmp_path: Path) -> None:
    plain = xrdml(scan()).decode()
    counts = re.sub(r"<intensities.*</intensities>", f"<counts>{' '.join(map(str, Y / STEP))}</counts>%s", plain)
    factors = "<beamAttenuationFactors>%s</beamAttenuationFactors>"
    whole = factors % " ".join(map(str, STEP))
    assert_same(read(tmp_path, (counts % whole).encode()))
    common = "<commonBeamAttenuationFactor>10</commonBeamAttenuationFactor>"
    np.testing.assert_allclose(read(tmp_path, (counts % common).encode()).intensity, 10 * Y / STEP)
    with pytest.raises(ValueError, match="2 attenuation factors for 1200 counts"):
        read(tmp_path, (counts % (factors % "1 10")).encode())
    with pytest.raises(ValueError, match="2 counting times for 1200 points"):
        read(tmp_path, xrdml(scan(time="<countingTimes>1 2</countingTimes>")))


def test_automatic_slits_are_told(tmp_path: Path) -> None:
    slit = '<divergenceSlit type="automaticDivergenceSlitType"/>'
    assert told(read(tmp_path, xrdml(scan(), f"<incidentBeamPath>{slit}</incidentBeamPath>")), "slit was automatic")
    udf = w.philips_udf().replace(b"Anode,Cu,/", b"Anode,Cu,/\nDivergenceSlit,AUTOMATIC, 10.00,/")
    assert told(read(tmp_path, udf), "slit was automatic")


def brml(first: np.ndarray, second: np.ndarray, counts: np.ndarray, names: tuple[str, str]) -> bytes:
    views = "".join(
        f'<RawDataView Start="{n}" Length="1" xsi:type="FixedRawDataView" LogicName="{name}"/>'
        for n, name in enumerate(names)
    )
    views += (
        '<RawDataView Start="2" Length="1" xsi:type="VaryingRawDataView"><Varying>'
        '<FieldDefinitions FieldName="TwoTheta"/></Varying></RawDataView>'
        '<RawDataView Start="3" Length="1" xsi:type="RecordedRawDataView"/>'
    )
    datum = "".join(
        f"<Datum>{','.join(f'{value:.9g}' for value in row)}</Datum>"
        for row in zip(first, second, X, counts, strict=True)
    )
    raw = (
        '<RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><DataRoutes><DataRoute>'
        f'<WaveLengthAlpha1 Value="1.5406"/><DataViews>{views}</DataViews>{datum}</DataRoute></DataRoutes></RawData>'
    )
    return w.zipped({"Experiment0/RawData0.xml": raw.encode()})


def test_times_of_brml_are_applied_and_a_moving_absorber_is_refused(tmp_path: Path) -> None:
    names = ("MeasuredTime", "AbsorptionFactor")
    assert_same(read(tmp_path, brml(RISING, 0 * X + 5, Y * RISING / 2, names)))
    jitter = 1 + 1e-3 * np.sin(X)
    np.testing.assert_array_equal(read(tmp_path, brml(jitter, 0 * X + 1, Y, names)).intensity, Y)
    with pytest.raises(ValueError, match="absorber changes between 1 and 10"):
        read(tmp_path, brml(0 * X + 1, STEP, Y, names))


# --- powder CIF -------------------------------------------------------------------------------------------------------


def test_corrections_of_a_cif_are_told(tmp_path: Path) -> None:
    for name in ("_pd_meas_counts_background", "_pd_proc_intensity_norm", "_pd_calib_detector_response"):
        text = HEAD + loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y, **{name: RISING})
        assert told(read(tmp_path, text.encode()), f"{name} of the file was neither applied nor taken back")
    text = HEAD + loop(_pd_meas_2theta_scan=X, _pd_meas_counts_total=Y, _pd_meas_counts_monitor=RISING - 1)
    assert told(read(tmp_path, text.encode()), "_pd_meas_counts_monitor was not applied")


# --- NeXus ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["data/monitor", "instrument/detector/exposure_time", "instrument/detector/count_time"]
)
def test_monitors_and_times_of_nexus_are_applied_wherever_they_stand(name: str, tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file["entry/data/I"][...] = Y * RISING / 1.5
        file[f"entry/{name}"] = RISING

    pattern = read(tmp_path, changed(tmp_path, add).read_bytes())
    np.testing.assert_allclose(pattern.intensity, Y, rtol=1e-6)
    assert told(pattern, f"divided by entry/{name}")


def test_a_monitor_of_other_points_is_told(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        file["entry/data/monitor"] = RISING[:7]

    pattern = read(tmp_path, changed(tmp_path, add).read_bytes())
    assert told(pattern, "entry/data/monitor was not applied: 7 values, from 1, for 1200 points")


def test_an_attenuator_of_nexus_that_moved_is_refused(tmp_path: Path) -> None:
    def add(file: h5py.File) -> None:
        group = file.create_group("entry/instrument/foil")
        group.attrs["NX_class"] = "NXattenuator"
        group["attenuator_transmission"] = 1 / STEP

    with pytest.raises(ValueError, match=r"foil/attenuator_transmission changes between 0\.1 and 1"):
        read(tmp_path, changed(tmp_path, add).read_bytes())
