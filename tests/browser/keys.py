"""Somebody who uses a keyboard alone. Every stop of the focus is held to one rule: seen, not covered, and marked."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 90
MEASURE = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const label = `${one.tagName.toLowerCase()}#${one.id} “${(one.innerText || one.name || "").trim().slice(0, 40)}”`;
  const at = document.elementFromPoint(
    Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1),
    Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 0), innerHeight - 1));
  return {
    label,
    nothing: one === document.body,
    height: Math.min(box.height, 44),
    seen: Math.ceil(Math.min(box.bottom, innerHeight) - Math.max(box.top, 0)),
    aside: box.left < -1 || box.right > innerWidth + 1,
    covered: !(at && (one.contains(at) || at.contains(one) || one.labels?.[0]?.contains(at))),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    color: style.outlineColor,
    ground: getComputedStyle(document.body).backgroundColor,
  };
}"""


class Keyboard:
    """Hands on a keyboard, eyes on the focus."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.stops = 0
        # Heard from the beginning: asked for only when it opens, the browser may be told too late.
        page.on("filechooser", lambda chooser: None)

    def tab(self, *, back: bool = False) -> dict[str, Any]:
        """One step, forward or back; the place it leads to must be seen and marked."""
        self.page.keyboard.press("Shift+Tab" if back else "Tab")
        return self.check()

    def check(self) -> dict[str, Any]:
        """The focus is on something, in the window, under nothing, with an outline that shows."""
        stop: dict[str, Any] = self.page.evaluate(MEASURE)
        self.stops += 1
        where = f"{stop['label']} on {self.page.url}"
        assert not stop["nothing"], f"the focus is lost on {self.page.url}"
        # A browser leaves a tall field where it is as long as a good part of it is in the window.
        assert stop["seen"] >= stop["height"], f"out of sight: {where}"
        assert not stop["aside"], f"out of the window: {where}"
        assert not stop["covered"], f"covered: {where}"
        assert stop["outline"] >= 2, f"no mark of the focus: {where}"
        assert stop["color"] != stop["ground"], f"a mark that does not show: {where}"
        return stop

    def reach(self, selector: str) -> None:
        """Step forward until the focus is on what `selector` finds."""
        for _ in range(MOST_STOPS):
            if self.on(selector):
                return
            self.page.keyboard.press("Tab")
            if not self.page.evaluate("document.activeElement === document.body"):
                self.check()
        raise AssertionError(f"the keyboard never comes to {selector} on {self.page.url}")

    def on(self, selector: str) -> bool:
        """True when the focus is there."""
        found: bool = self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector)
        return found

    def go(self, selector: str, key: str = "Enter") -> None:
        """Step to a link or a button, press it, and be on the page it leads to."""
        self.reach(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def tick(self, selector: str) -> None:
        """Step to a box and tick it."""
        self.reach(selector)
        self.page.keyboard.press("Space")
        assert self.page.locator(selector).is_checked()

    def write(self, selector: str, words: str) -> None:
        """Step to a field and write in it."""
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(words)
        assert self.page.locator(selector).input_value() == words

    def choose_file(self, selector: str, file: Any) -> None:
        """Step to a file field, open the chooser, choose."""
        self.reach(selector)
        with self.page.expect_file_chooser() as chooser:
            self.page.keyboard.press("Enter")
        chooser.value.set_files(file)
