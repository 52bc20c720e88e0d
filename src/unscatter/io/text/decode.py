"""Bytes as text, in whatever encoding instruments and spreadsheets write it."""

from __future__ import annotations

import codecs

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}

#: Control characters, without those that part lines and columns.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1a"))


def decode(data: bytes) -> str:
    """Bytes as text with Unix line ends; "" if they are binary."""
    encoding = encoding_of(data)
    text = data.decode(encoding, errors="replace") if encoding else ""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def encoding_of(data: bytes) -> str:
    """How a text is encoded: UTF-8, UTF-16 with or without its mark, or an old code page; "" if it is binary."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    if wide := _unmarked_utf16(data):
        return wide
    if _is_binary(data):
        return ""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:  # titles in the code page of an old instrument
        return "latin-1"
    return "utf-8"


def _unmarked_utf16(data: bytes) -> str:
    """Which UTF-16 it is, where every other byte of the beginning is zero, as in a table of numbers; else ""."""
    even, odd = data[0:4096:2], data[1:4096:2]
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if len(odd) >= 8 and zeros.count(0) > 0.9 * len(zeros) and not _is_binary(others):
            return encoding
    return ""


def _is_binary(data: bytes) -> bool:
    # old programs leave a few stray bytes in a title: only many of them make a file binary
    return 20 * len(data.translate(None, _CONTROLS)) < 19 * len(data)
