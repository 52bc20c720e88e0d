"""Files that are known and are not read, each with what to do instead."""

from __future__ import annotations

from unscatter.io.patterns.content import Content

_IMAGE = "a picture ({}), not numbers; expected a powder pattern: give the file the instrument wrote"
_DETECTOR = "a detector image ({}); expected a powder pattern: integrate it over the rings, for example with pyFAI"
_EXPORT = "{}, which is not read; expected a powder pattern: export the scan as two columns of text (.xy)"

#: First bytes of a file, and what to say to whoever brings it.
_KNOWN = {
    b"\x89PNG": _IMAGE.format("PNG"),
    b"\xff\xd8\xff": _IMAGE.format("JPEG"),
    b"GIF8": _IMAGE.format("GIF"),
    b"%PDF": _IMAGE.format("PDF"),
    b"II*\0": _DETECTOR.format("TIFF"),
    b"MM\0*": _DETECTOR.format("TIFF"),
    b"\x93NUMPY": _EXPORT.format("a NumPy array"),
    b"RAW_1.0": _EXPORT.format("Stoe RAW data"),
    b"FI\0\0": _EXPORT.format("Rigaku binary RAW data"),
    b"\xd0\xcf\x11\xe0": _EXPORT.format("an old Office document"),
    b"\x1f\x8b": "packed by gzip; expected the pattern itself: unpack it with gunzip",
    b"BZh": "packed by bzip2; expected the pattern itself: unpack it with bunzip2",
    b"\xfd7zXZ": "packed by xz; expected the pattern itself: unpack it with unxz",
}


def refuse(content: Content) -> None:
    """Raise ValueError if the first bytes are those of a file that is known not to be a readable pattern."""
    for magic, reason in _KNOWN.items():
        if content.start.startswith(magic):
            raise ValueError(reason)
    if content.start.startswith(b"BM") and not content.text:
        raise ValueError(_IMAGE.format("BMP"))
    if b"###CBF" in content.start[:64]:
        raise ValueError(_DETECTOR.format("CBF"))


def refuse_text(content: Content) -> None:
    """Raise ValueError for text that holds numbers and is no table of them: pages of the web, JSON."""
    begin, end = content.text[:100].lstrip().lower(), content.text[-100:].rstrip()
    if begin.startswith(("<!doctype html", "<html")):
        raise ValueError(_EXPORT.format("a page of the web (HTML)"))
    if begin.startswith(("{", "[")) and end.endswith(("}", "]")):
        raise ValueError(_EXPORT.format("JSON"))
