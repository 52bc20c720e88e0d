"""XML without document types, so that no entity can be expanded or fetched."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET


def parse_xml(text: str) -> ET.Element:
    """Root element of an XML text.

    Raises ValueError if the text declares a document type or is not well formed.
    """
    if re.search(r"<!\s{0,20}(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ValueError("XML with a DOCTYPE, which no instrument writes; expected plain XML: export it again")
    try:
        # the text is decoded already: the encoding its first line names no longer holds
        return ET.fromstring(re.sub(r"\A\s*<\?xml[^>]{0,500}\?>", "", text))
    except (ET.ParseError, ValueError) as error:
        raise ValueError(f"XML that is not well formed ({error}), perhaps cut short; copy the file again") from None


def find_text(element: ET.Element, tag: str) -> str | None:
    """Stripped text of the first element called `tag` below, in any namespace."""
    found = element.find(f".//{{*}}{tag}")
    return found.text.strip() if found is not None and found.text else None


def find_number(element: ET.Element, tag: str) -> float | None:
    """Positive number in the first element called `tag` below, or None."""
    try:
        value = float(find_text(element, tag) or 0)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
