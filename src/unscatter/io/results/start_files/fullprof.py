"""The control file of FullProf, .pcr: profile matching with a constant scale (Le Bail)."""

from __future__ import annotations

from unscatter.io.results.start_files.start import DOUBLET, Start

_RULE = "!" + "-" * 79


def fullprof_text(start: Start) -> str:
    """Control file of a start: Jbt 2 (Le Bail), Npr 7 (Thompson-Cox-Hastings with axial divergence), all codes 0.

    Gaussian FWHM^2 = U tan^2 + V tan + W in deg^2, Lorentzian FWHM = X tan + Y / cos in degrees: FullProf's X is the
    strain and its Y the size. Source: FullProf manual, description of CODFIL.PCR.
    """
    lines = [*_head(start), *_background(start), *_shifts(start), *_phase(start), *_end(start)]
    return "\n".join(lines) + "\n"


def _head(start: Start) -> list[str]:
    two_theta = start.pattern.two_theta
    step = (two_theta[-1] - two_theta[0]) / (len(two_theta) - 1)
    second = start.pattern.second_wavelength
    ratio = 0.0 if second is None else DOUBLET
    beam = f" {start.wavelength:.6f} {second or start.wavelength:.6f} {ratio:.5f}"
    points = len(start.background())
    return [
        f"COMM {start.title}",
        f"! Files => DAT-file: {start.data_name},  PCR-file: start from unscatter classify",
        "! Ins = 10 reads columns two-theta, intensity, s.u.; codes are 0: set those of what is to be refined",
        "!Job Npr Nph Nba Nex Nsc Nor Dum Iwg Ilo Ias Res Ste Nre Cry Uni Cor Opt Aut",
        f"   {1 if start.neutron else 0}   7   1 {points:3d}" + 14 * "   0" + "   1",
        "!",
        "!Ipr Ppl Ioc Mat Pcr Ls1 Ls2 Ls3 NLI Prf Ins Rpa Sym Hkl Fou Sho Ana",
        "   0   0   1   0   1   0   4   0   0   1  10   0   0   0   0   0   0",
        "!",
        "! Lambda1  Lambda2    Ratio    Bkpos    Wdt    Cthm     muR   AsyLim   Rpolarz  2nd-muR -> Patt# 1",
        f"{beam}   50.000  20.0000  0.0000  0.0000  180.00    0.0000  0.0000",
        "!",
        "!NCY  Eps  R_at  R_an  R_pr  R_gl     Thmin       Step       Thmax    PSD    Sent0",
        f"  20  0.10  1.00  1.00  1.00  1.00 {two_theta[0]:11.4f} {step:10.6f} {two_theta[-1]:11.4f}   0.000   0.000",
        "!",
    ]


def _background(start: Start) -> list[str]:
    rows = [f" {place:11.4f} {height:14.4f} {0:10.2f}" for place, height in start.background()]
    return ["!2Theta/TOF/E(Kev)   Background  for Pattern#  1", *rows, "!"]


def _shifts(start: Start) -> list[str]:
    fit = start.fit
    return [
        "       0    !Number of refined parameters",
        "!",
        "!  Zero    Code    SyCos    Code   SySin    Code  Lambda     Code MORE ->Patt# 1",
        f" {fit.zero:8.5f}    0.0 {fit.displacement:8.5f}    0.0  0.00000    0.0 0.000000    0.00   0",
    ]


def _phase(start: Start) -> list[str]:
    u, v, w, size, strain = start.widths
    cell = " ".join(f"{number:.6f}" for number in start.cell.parameters)
    axial = f"{start.fit.axial:8.5f} {start.fit.axial:8.5f}"
    return [
        _RULE,
        "!  Data for PHASE number:   1  ==> Current R_Bragg for Pattern#  1:     0.00",
        _RULE,
        start.title,
        "!",
        "!Nat Dis Ang Pr1 Pr2 Pr3 Jbt Irf Isy Str Furth       ATZ    Nvk Npr More",
        "   0   0   0 0.0 0.0 1.0   2   0   0   0   0          0.000   0   7   0",
        "!",
        f"{start.group.hm:<24} <--Space group symbol",
        "!-------> Profile Parameters for Pattern #  1",
        "!  Scale        Shape1      Bov      Str1      Str2      Str3   Strain-Model",
        "  1.000000      0.00000   0.00000   0.00000   0.00000   0.00000       0",
        "     0.00000     0.000     0.000     0.000     0.000     0.000",
        "!       U         V          W           X          Y        GauSiz   LorSiz Size-Model",
        f" {u:10.6f} {v:10.6f} {w:10.6f} {strain:10.6f} {size:10.6f}   0.000000   0.000000    0",
        "      0.000      0.000      0.000      0.000      0.000      0.000      0.000",
        "!     a          b         c        alpha      beta       gamma      #Cell Info",
        f" {cell}",
        "    0.00000    0.00000    0.00000    0.00000    0.00000    0.00000",
        "!  Pref1    Pref2      Asy1     Asy2     Asy3     Asy4      S_L      D_L",
        f"  0.00000  0.00000  0.00000  0.00000  0.00000  0.00000 {axial}",
        "     0.00     0.00     0.00     0.00     0.00     0.00     0.00     0.00",
    ]


def _end(start: Start) -> list[str]:
    low, high = start.pattern.two_theta[[0, -1]]
    return ["!  2Th1/TOF1    2Th2/TOF2  Pattern to plot", f" {low:11.3f} {high:11.3f}       1"]
