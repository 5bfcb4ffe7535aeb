"""What a browser can be asked about a page for the criteria of RGAA: each question names the criteria it serves."""

from __future__ import annotations

import re
from pathlib import Path

QUESTIONS = (Path(__file__).parent / "criteria.js").read_text(encoding="utf-8")
"""Given the page's language and the text of its scripts: for each criterion, how many things were looked at, what is
wrong with them, and how many of them only a person can judge."""

ASKED = frozenset(re.findall(r'"(\d+\.\d+)"', QUESTIONS))
"""The criteria a question was asked for, whether a page had something to look at or not."""

WITHOUT_STYLES = """() => {
  const words = () => (document.querySelector("main")?.innerText ?? "").match(/[\\p{L}\\p{N}]{3,}/gu) ?? [];
  const before = new Set(words());
  const kept = [...document.styleSheets].filter((sheet) => !sheet.disabled);
  for (const sheet of kept) sheet.disabled = true;
  const after = (document.querySelector("main")?.innerText ?? "").replace(/\\s+/g, "");
  const tops = ["header", "main", "footer"].map((tag) => document.querySelector(`body > ${tag}, ${tag}`))
    .filter(Boolean).map((one) => one.getBoundingClientRect().top);
  for (const sheet of kept) sheet.disabled = false;
  const lost = [...before].filter((word) => !after.includes(word));
  const ordered = tops.every((top, place) => !place || top >= tops[place - 1]);
  return { looked: before.size, lost, ordered };
}"""
"""Style sheets off: which words of the content go, and whether its parts come in their order."""

FOCUS = """() => {
  const wrong = [], order = [];
  let looked = 0;
  const can = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }));
  for (const one of can) {
    one.focus({ preventScroll: false });
    if (document.activeElement !== one) continue;
    looked += 1;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const label = `${one.tagName.toLowerCase()}#${one.id} “${(one.innerText || one.name || "").trim().slice(0, 40)}”`;
    const around = one.matches("input[type=radio], input[type=checkbox]") ? one.closest("label") : null;
    const outlined = [one, around].filter(Boolean).some((it) => {
      const its = getComputedStyle(it);
      return its.outlineStyle !== "none" && parseFloat(its.outlineWidth) >= 2;
    });
    if (!outlined) wrong.push(`no mark: ${label}`);
    if (box.bottom <= 0 || box.top >= innerHeight) wrong.push(`out of sight: ${label}`);
  }
  document.activeElement?.blur();
  return { looked, wrong };
}"""
"""Each thing a keyboard reaches: marked and in sight when it has the focus. The keyboard must have been used before."""

CONTRAST = """() => {
  const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(numbers(a)), light(numbers(b))].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const wrong = [];
  let looked = 0;
  const typed = "input:not([type=hidden], [type=radio], [type=checkbox], [type=file])";
  const fields = `${typed}, select, textarea, a.button, button.button`;
  for (const one of document.querySelectorAll(fields)) {
    if (!one.checkVisibility()) continue;
    looked += 1;
    const style = getComputedStyle(one);
    const around = ground(one.parentElement);
    const edge = parseFloat(style.borderTopWidth) ? ratio(style.borderTopColor, around) : 1;
    const fill = ratio(ground(one), around);
    if (Math.max(edge, fill) < 3) wrong.push(`${one.tagName.toLowerCase()}#${one.id}.${one.className} ${
      Math.max(edge, fill).toFixed(1)}`);
  }
  return { looked, wrong };
}"""
"""Fields and buttons: their border or their ground stands out 3 to 1 from what is around."""
