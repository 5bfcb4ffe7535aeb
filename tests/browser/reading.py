"""Large text, narrow screens and wide spacing: nothing leaves the page to the side, nothing is cut off."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page, ViewportSize

SPACING = """
* { line-height: 1.5 !important; word-spacing: .16em !important; }
*:not(:lang(ar), :lang(fa), :lang(ps)) { letter-spacing: .12em !important; }
p { margin-block-end: 2em !important; }
"""
"""WCAG 1.4.12. Arabic letters are joined: they are spared the space between letters, as the criterion says."""


@dataclass(frozen=True)
class Reading:
    """One way people read: a size of text (100 = the browser's own), more space between the words."""

    name: str
    text_percent: int = 100
    spaced: bool = False


AS_IT_COMES = Reading("as it comes")
LARGE = Reading("text at 200 %", 200)
SPACED = Reading("spaced", spaced=True)
WAYS: dict[int, tuple[Reading, ...]] = {320: (AS_IT_COMES, SPACED), 640: (LARGE,), 1280: (LARGE, SPACED)}
"""How pages are read at each width, in CSS pixels."""

MEASURE = """async ([width, ways]) => {
  let told = [];
  const root = document.scrollingElement;
  const shown = (one) => one.checkVisibility() && !one.closest(".visually-hidden, .skip, svg");
  const scrolls = (one) => one.parentElement?.closest(".table");
  const measure = (name) => {
    const say = (what, one) => told.push(
      `${name}: ${what}: ${one.tagName.toLowerCase()}.${one.className} “${one.textContent.trim().slice(0, 40)}”`);
    if (root.scrollWidth > root.clientWidth)
      told.push(`${name}: the page scrolls: ${root.scrollWidth} > ${root.clientWidth}`);
    for (const one of document.body.querySelectorAll("*")) {
      if (!shown(one) || scrolls(one)) continue;
      const box = one.getBoundingClientRect();
      if (box.width && (box.left < -1 || box.right > innerWidth + 1)) say("outside", one);
      const style = getComputedStyle(one);
      if (style.display === "inline" || one.matches("input, select, .table")) continue;
      if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth) say("wider than its box", one);
      const cut = style.overflowY !== "visible" && style.overflowY !== "auto";
      if (cut && one.scrollHeight > one.clientHeight + 1) say("cut off below", one);
      if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") say("shortened", one);
    }
  };
  if (innerWidth !== width) told.push(`the window is ${innerWidth} px wide, not ${width}`);
  for (const {name, percent, spacing} of ways) {
    document.documentElement.style.fontSize = `${percent}%`;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(spacing);
    document.adoptedStyleSheets = spacing ? [sheet] : [];
    const before = told.length;
    measure(name);  // asking where a box is lays the page out first
    if (told.length === before) continue;
    // But a box that scrolls from right to left takes its place with the next frame only: look again.
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    told = told.slice(0, before);
    measure(name);
  }
  document.documentElement.style.fontSize = "";
  document.adoptedStyleSheets = [];
  return told;
}"""


@dataclass
class Reader:
    """Reads each page in every way, and writes down what cannot be read."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def look(self, name: str, size: ViewportSize) -> None:
        """Read the page as it stands in a window of this size, one of `WAYS`; then leave it as it was."""
        self.page.set_viewport_size(size)
        ways = [
            {"name": way.name, "percent": way.text_percent, "spacing": SPACING if way.spaced else ""}
            for way in WAYS[size["width"]]
        ]
        told: list[str] = self.page.evaluate(MEASURE, [size["width"], ways])
        self.troubles.extend(f"{name}, {size['width']} px, {one}" for one in told)
