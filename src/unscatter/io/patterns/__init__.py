"""Powder patterns in, whatever instrument or program wrote them: the format is found by content.

Each format is one module with NAME, ASSUMES, `recognises(content)` and `read(content)`. To add one, write the module
and put it into FORMATS of `read`, before those that would also accept its files.
"""

from unscatter.io.patterns.lines import read_lines
from unscatter.io.patterns.read import FORMATS, Format, read_pattern

__all__ = ["FORMATS", "Format", "read_lines", "read_pattern"]
