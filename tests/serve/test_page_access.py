"""The page for everybody: names, order of focus, headings, contrast, and a screen of 1366 x 768."""

from itertools import pairwise
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason='needs uvicorn: pip install "unscatter[serve]"')
pytest.importorskip("playwright.sync_api", reason="drives a browser: pip install playwright")

#: All of the page, as if every result were there.
_ALL = "() => { for (const one of document.querySelectorAll('[hidden]')) one.hidden = false; }"

#: Contrast of every text with what lies behind it, after WCAG 2.2: those below 4.5 (3 for large letters).
_FAINT = """() => {
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const paper = numbers(getComputedStyle(at).backgroundColor);
      if (paper.length === 3 || paper[3] > 0) return paper.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility() || ![...one.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(one), a = light(numbers(style.color).slice(0, 3)), b = light(behind(one));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const said = one.textContent.trim().slice(0, 30);
    if (ratio < (large ? 3 : 4.5)) faint.push(`${one.tagName} ${said}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""

_UNNAMED = """() => [...document.querySelectorAll("input, select, button, canvas, [tabindex='0'], table, img")]
  .filter((one) => !(one.labels && one.labels.length) && !one.getAttribute("aria-label") && !one.textContent.trim()
    && !one.caption && !one.hasAttribute("alt"))
  .map((one) => one.outerHTML)"""


def test_everything_is_reached_by_keyboard_in_the_order_in_which_it_stands(page: Any) -> None:
    page.evaluate(_ALL)
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    wanted = page.evaluate(
        "[...document.querySelectorAll('input, select, button, canvas, [tabindex=\"0\"]')]"
        ".filter(e => e.tabIndex >= 0 && e.id && e.type !== 'radio').map(e => e.id)"
    )
    assert len(wanted) > 30
    assert [one for one in reached if one in wanted][: len(wanted)] == wanted


def test_everything_that_can_be_used_has_a_name(page: Any) -> None:
    page.evaluate(_ALL)
    assert page.evaluate(_UNNAMED) == []
    described = page.evaluate(
        "[...document.querySelectorAll('[aria-describedby], [aria-labelledby]')].flatMap(e =>"
        " (e.getAttribute('aria-describedby') || e.getAttribute('aria-labelledby')).split(' '))"
        ".filter(id => !document.getElementById(id))"
    )
    assert described == []
    twice = page.evaluate(
        "(() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
        " return ids.filter((id, k) => ids.indexOf(id) !== k); })()"
    )
    assert twice == []


def test_text_stands_out_from_what_is_behind_it(page: Any) -> None:
    page.evaluate(_ALL)
    page.evaluate("say('an error in words', true)")
    assert page.evaluate(_FAINT) == []
    page.evaluate("for (const one of document.querySelectorAll('button')) one.disabled = true")
    assert page.evaluate(_FAINT) == []


def test_focus_is_seen_on_all_that_takes_it(page: Any) -> None:
    page.evaluate(_ALL)
    page.evaluate("document.activeElement.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        outline, name = page.evaluate(
            "(() => { const one = document.activeElement, s = getComputedStyle(one);"
            " return [s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth), one.outerHTML]; })()"
        )
        assert outline >= 2 or name.startswith("<body"), name


def test_headings_language_and_landmarks_are_in_order(page: Any) -> None:
    page.evaluate(_ALL)
    assert page.get_attribute("html", "lang") == "en"
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => Number(e.tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert page.locator("main").count() == 1
    assert page.get_attribute("#status", "aria-live") == "polite"


@pytest.mark.parametrize("width", [1366, 800, 400])
def test_nothing_is_wider_than_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 768})
    page.evaluate(_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_plane_and_its_tools_have_room_on_a_laptop(page: Any) -> None:
    page.evaluate(_ALL)
    page.evaluate(
        "for (const id of ['welcome', 'curve-view', 'alphas-view']) document.getElementById(id).hidden = true"
    )
    box = page.locator("#plane").bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=1)
    assert box["width"] >= 540
    assert box["y"] + box["height"] <= 768
