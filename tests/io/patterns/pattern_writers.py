"""One pattern, written in every unit and layout that people have."""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO

import h5py
import numpy as np

WAVELENGTH = 1.5406
TWO_THETA = np.round(20 + 0.05 * np.arange(1200), 4)
_HEIGHTS = ((28.5, 900.0), (33.1, 300.0), (47.5, 600.0), (56.3, 500.0), (69.4, 100.0), (76.7, 200.0))
COUNTS = np.round(60 + sum(h * np.exp(-(((TWO_THETA - x) / 0.2) ** 2)) for x, h in _HEIGHTS))
SIGMA = np.round(np.sqrt(COUNTS), 3)
SINE = np.sin(np.radians(TWO_THETA / 2))
Q = 4 * np.pi * SINE / WAVELENGTH
D = WAVELENGTH / (2 * SINE)

#: Labels of an axis that name a unit or are unmistakable, and the numbers that belong to them.
AXES: dict[str, np.ndarray] = {
    "2theta (deg)": TWO_THETA,
    "2Theta": TWO_THETA,
    "tth[degrees]": TWO_THETA,
    "2theta (rad)": np.radians(TWO_THETA),
    "2th_mrad": 1e3 * np.radians(TWO_THETA),
    "Theta (deg)": TWO_THETA / 2,
    "theta [rad]": np.radians(TWO_THETA / 2),
    "Q (1/A)": Q,
    "Q(A^-1)": Q,
    "q_nm^-1": 10 * Q,
    "Q [1/pm]": Q / 100,
    "sin(theta)/lambda (1/A)": SINE / WAVELENGTH,
    "1/d (1/nm)": 10 / D,
    "d (A)": D,
    "d-spacing [nm]": D / 10,
    "d(pm)": 100 * D,
    "d*2_A^-2": D**-2,
}
#: Wavelengths in words.
WAVELENGTHS = (
    "wavelength 1.5406 A", "Wavelength: 1.5406e-10 m", "Wavelength [nm]: 0.15406", "lambda = 154.06 pm",
    "Energy 8.0477862 keV", "photon energy: 8047.7862 eV", "lambda=1.5406", "wavelength (Angstrom) 1.5406(2)",
)  # fmt: skip


def text(
    label: str,
    *,
    wavelength: str = WAVELENGTHS[0],
    separator: str = " ",
    comment: str = "# ",
    decimal: str = ".",
    descending: bool = False,
    sigma: bool = True,
    end: str = "\n",
    encoding: str = "utf-8",
) -> bytes:
    columns = [AXES[label], COUNTS, SIGMA][: 2 + sigma]
    order = slice(None, None, -1) if descending else slice(None)
    names = separator.join([label, "Intensity", "ESD"][: 2 + sigma])
    rows = [separator.join(f"{value:.9g}".replace(".", decimal) for value in row) for row in zip(*columns, strict=True)]
    return end.join([f"{comment}{wavelength}", comment + names, *rows[order], ""]).encode(encoding)


def nexus(
    name: str, units: str, *, edges: bool = False, scaled: bool = False, energy: bool = False, root: str = "entry"
) -> bytes:
    values = {"two_theta": TWO_THETA, "theta": TWO_THETA / 2, "Q": Q, "d": D, "x": Q}[name]
    factors = {"deg": 1.0, "rad": math.pi / 180, "1/angstrom": 1.0, "1/nm": 10.0, "angstrom": 1.0, "nm": 0.1}
    values = values * factors[units]
    packed = BytesIO()
    with h5py.File(packed, "w") as file:
        entry = file.create_group(root)
        beam = entry.create_group("instrument/monochromator")
        beam["energy" if energy else "wavelength"] = 8047.7862 if energy else WAVELENGTH / 10
        beam["energy" if energy else "wavelength"].attrs["units"] = "eV" if energy else "nm"
        entry["instrument/source/probe"] = "x-ray"
        data = entry.create_group("data")
        data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": name})
        data["I"], data["I_errors"] = COUNTS, SIGMA
        if edges:
            middle = (values[1:] + values[:-1]) / 2
            values = np.r_[2 * values[0] - middle[0], middle, 2 * values[-1] - middle[-1]]
        if scaled:
            data[f"{name}_scaling_factor"], data[f"{name}_offset"] = 0.01, 5.0
            values = values / 0.01 - 5.0
        data[name] = values
        data[name].attrs["units"] = units
    return packed.getvalue()


def cif(tag: str = "_pd_meas_2theta_scan", *, dotted: bool = False, before: str = "", offset: float = 0.0) -> bytes:
    columns = {
        "_pd_meas_2theta_scan": TWO_THETA - offset,
        "_pd_proc_2theta_corrected": TWO_THETA,
        "_pd_proc_recip_len_Q": Q,
        "_pd_proc_d_spacing": D,
    }
    head = [
        "data_pattern",
        "_diffrn_radiation_probe x-ray",
        f"_diffrn_radiation_wavelength {WAVELENGTH}",
        *([f"_pd_calib_2theta_offset {offset}"] if offset else []),
        "loop_",
        tag,
        "_pd_meas_intensity_total",
        "_pd_meas_intensity_total_su",
    ]
    if dotted:
        head = [line.replace("_pd_meas_", "_pd_meas.").replace("_pd_proc_", "_pd_proc.") for line in head]
        head = [line.replace("_radiation_wavelength", "_radiation_wavelength.wavelength") for line in head]
    rows = [f"{x:.9g} {y:.0f} {s:.3f}" for x, y, s in zip(columns[tag], COUNTS, SIGMA, strict=True)]
    return (before + "\n".join([*head, *rows]) + "\n").encode()


def zipped(members: dict[str, bytes]) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def rows_of(values: Sequence[float], width: int, form: str) -> list[str]:
    fields = [form % value for value in values]
    return ["".join(fields[i : i + width]) for i in range(0, len(fields), width)]


def philips_udf(end: str = "/") -> bytes:
    head = ["SampleIdent,made up,/", "Title1,Dat2rit program,/", "Anode,Cu,/", f"LabdaAlpha1, {WAVELENGTH:.5f},/",
            "LabdaAlpha2, 1.54439,/", f"DataAngleRange, {TWO_THETA[0]:.4f},{TWO_THETA[-1]:.4f},/",
            "ScanStepSize, 0.0500,/", "ScanStepTime, 5.00,/", "RawScan"]  # fmt: skip
    body = "\n".join(rows_of(COUNTS.tolist(), 8, "%6.0f,"))
    return ("\n".join(head) + "\n" + body.rstrip(",") + end + "\n").encode()


def philips_rd(version: bytes = b"V3RD", continuous: bool = False) -> tuple[bytes, np.ndarray]:
    """The file, and the counts it can hold: squares of a tenth of a whole number."""
    roots = np.round(10 * np.sqrt(COUNTS)).astype("<u2")
    data = bytearray(810 if version == b"V5RD" else 250)
    data[:4] = version
    data[126] = int(continuous)
    data[94:110] = np.array([WAVELENGTH, 1.54439], dtype="<f8").tobytes()
    shift = 0.025 if continuous else 0.0
    data[214:238] = np.array([0.05, TWO_THETA[0] - shift, TWO_THETA[-1] + shift], dtype="<f8").tobytes()
    return bytes(data) + roots.tobytes(), np.floor(0.01 * roots.astype(float) ** 2)


def sietronics_cpi(wavelength: str = "1.54060") -> bytes:
    head = ["SIETRONICS XRD SCAN", f"{TWO_THETA[0]:.3f}", f"{TWO_THETA[-1]:.3f}", "0.050", "Cu", wavelength, "1-1-1999",
            "0.6", "made up", "SCANDATA"]  # fmt: skip
    return "\n".join([*head, *(f"{y:.0f}" for y in COUNTS), ""]).encode()


def jade_mdi(end: str = "") -> bytes:
    head = [
        "       09/11/91 DIF made up",
        f" {TWO_THETA[0]:.3f} 0.0500 4.0 CU  {WAVELENGTH:.6f} {TWO_THETA[-1]:.3f}   1200",
    ]
    return ("\n".join([*head, *rows_of(COUNTS.tolist(), 8, "%8.0f")]) + end + "\n").encode()


def fullprof_prf(zero: float = 0.0) -> bytes:
    head = [" made up", f"     1     1200  {WAVELENGTH:.5f}  {WAVELENGTH:.5f}  {zero:.5f}",
            " 2Theta\tYobs\tYcal\tYobs-Ycal\tBackg\tPosr\t(hkl)\tK"]  # fmt: skip
    rows = [
        f"  {x + zero:9.4f}\t{y:10.1f}\t{y + 1:10.1f}\t{-1:10.1f}\t      60.0"
        for x, y in zip(TWO_THETA, COUNTS, strict=True)
    ]
    return "\n".join([*head, *rows, "   28.5000\t \t \t \t \t 0\t(1 1 1)\t1", ""]).encode()


def bruker_brml(named: bool = True) -> bytes:
    views = (
        '<DataViews><RawDataView Start="0" Length="2" xsi:type="FixedRawDataView" LogicName="MeasuredTime"/>'
        '<RawDataView Start="2" Length="2" xsi:type="VaryingRawDataView"><Varying>'
        '<FieldDefinitions FieldName="TwoTheta"/><FieldDefinitions FieldName="Theta"/></Varying></RawDataView>'
        '<RawDataView Start="4" Length="1" xsi:type="RecordedRawDataView"><Recording LogicName="Counter"/>'
        "</RawDataView>"
        "</DataViews>"
    )
    datum = "".join(f"<Datum>0.5,1,{x:.4f},{x / 2:.4f},{y:.0f}</Datum>" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    axes = '<ScanAxes><ScanAxisInfo AxisName="TwoTheta"/><ScanAxisInfo AxisName="Theta"/></ScanAxes>'
    tube = (f'<Tube><WaveLengthAlpha1 Value="{WAVELENGTH}"/><WaveLengthAlpha2 Value="1.54439"/>'
            '<WaveLengthRatio Value="0.5"/></Tube>')  # fmt: skip
    raw = (
        '<?xml version="1.0" encoding="utf-8"?><RawData xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<FixedInformation>{tube}</FixedInformation><DataRoutes><DataRoute>"
        f"<ScanInformation><TimePerStep>0.5</TimePerStep>{axes}</ScanInformation>"
        f"{views if named else ''}{datum}</DataRoute></DataRoutes></RawData>"
    )
    return zipped({"Experiment0/RawData0.xml": raw.encode(), "Experiment0/DataContainer.xml": b"<a/>"})


def pyfai(unit: str) -> bytes:
    """As pyFAI writes it where the names of the columns went wrong; the corner of the detector is the last angle."""
    distance, last = 0.12, math.radians(TWO_THETA[-1] + 0.025)
    side = distance * math.tan(last) / math.sqrt(2)
    header = {"poni_version": 2.1, "dist": distance, "poni1": 0.0, "poni2": 0.0, "rot1": 0, "rot2": 0, "rot3": 0,
              "detector": "Detector", "detector_config": {"pixel1": side / 1000, "pixel2": side / 1000,
              "max_shape": [1000, 1000]}, "wavelength": WAVELENGTH * 1e-10}  # fmt: skip
    radial = {"2th_deg": TWO_THETA, "2th_rad": np.radians(TWO_THETA), "q_nm^-1": 10 * Q, "q_A^-1": Q}[unit]
    lines = [
        *json.dumps(header, indent=4).split("\n"),
        "Mask applied: False",
        "--> a.dat",
        "{str(dim1_unit):14s}  {'I':14s}",
    ]
    rows = [f"  {x:.7e}  {y:.6e}  {s:.6e}" for x, y, s in zip(radial, COUNTS, SIGMA, strict=True)]
    return "\n".join([*(f"# {line}" for line in lines), *rows, ""]).encode()


Writer = Callable[[], bytes]
