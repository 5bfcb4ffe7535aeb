"""What a browser can be asked about a page for the criteria of RGAA: each question names the criteria it serves."""

from __future__ import annotations

import re

QUESTIONS = """(language) => {
  const told = {};
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (one) => `${one.tagName.toLowerCase()}${one.id ? "#" + one.id : ""}.${one.className} “${
    (one.textContent || "").trim().replace(/\\s+/g, " ").slice(0, 40)}”`;
  // A criterion that has nothing to look at on this page says nothing of it.
  const ask = (criteria, looked, wrong) => {
    for (const criterion of criteria) {
      const one = (told[criterion] ??= { looked: 0, wrong: [] });
      one.looked += looked.length ?? looked;
      one.wrong.push(...wrong.map((it) => (typeof it === "string" ? it : name(it))));
    }
  };
  const each = (criteria, selector, bad) => {
    const found = all(selector);
    ask(criteria, found, found.filter(bad));
  };

  each(["1.2"], "svg:not([role=img])", (one) => !one.closest("[aria-hidden=true], [role=img]"));
  each(["2.1", "2.2"], "iframe, frame", (one) => !one.title);
  each(["4.10"], "audio, video", (one) => one.autoplay);
  each(["4.11"], "audio, video", (one) => !one.controls);
  each(["4.3"], "video", (one) => !one.querySelector("track[kind=captions], track[kind=subtitles]"));
  each(["5.4"], "table", (one) =>
    !one.caption && !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby"));
  each(["5.6", "5.7"], "table", (one) => [...one.querySelectorAll("th")].some((head) => !head.scope)
    || !one.querySelector("th"));
  each(["5.3", "5.8"], "table[role=presentation], table[role=none]", (one) => one.querySelector("th, caption"));
  each(["7.5"], ".error-summary", (one) => one.getAttribute("role") !== "alert");
  each(["7.5"], "[role=status], [role=alert], [aria-live], progress", () => false);
  ask(["8.1"], 1, document.doctype?.name === "html" && document.compatMode === "CSS1Compat" ? [] : ["no doctype"]);
  ask(["8.3", "8.4"], 1, document.documentElement.lang === language ? [] : [document.documentElement.lang]);
  const title = document.title.trim();
  ask(["8.5"], 1, title ? [] : ["no title"]);
  ask(["8.6"], 1, /\\S+ – \\S+/.test(title) ? [] : [title]);

  // Words in another script than their language's.
  const scripts = { ar: "Arabic", fa: "Arabic", ps: "Arabic", uk: "Cyrillic", ru: "Cyrillic", bn: "Bengali",
    ti: "Ethiopic", am: "Ethiopic", ka: "Georgian", hy: "Armenian", zh: "Han", el: "Greek", ta: "Tamil", sq: "Latin" };
  const foreign = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const inside = node.parentElement;
    if (inside.closest("script, style, textarea, select, svg, [translate=no]") || !node.data.trim()) continue;
    texts += 1;
    const lang = (inside.closest("[lang]")?.lang ?? "").split("-")[0];
    const script = scripts[lang] ?? "Latin";
    if (lang === "") continue;
    const others = node.data.match(/\\p{L}{4,}/gu) ?? [];
    const alien = new RegExp(`^\\\\p{Script=${script}}`, "u");
    if (/@|\\.|\\//.test(node.data) || inside.closest("bdi, code")) continue;
    const wrong = others.filter((word) => !alien.test(word));
    if (wrong.length > 1) foreign.push(`${lang}: ${wrong.slice(0, 4).join(" ")}`);
  }
  ask(["8.7"], texts, foreign);
  each(["8.8"], "body [lang]", (one) => !/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/.test(one.lang));
  const rtl = ["ar", "fa", "ps", "ur", "he", "ku", "ckb"];
  ask(["8.10"], 1, document.documentElement.dir === (rtl.includes(language) ? "rtl" : "ltr") ? [] : ["html"]);
  each(["8.10"], "body [lang]", (one) => {
    const turned = rtl.includes(one.lang.split("-")[0]) ? "rtl" : "ltr";
    return one.textContent.trim() && getComputedStyle(one).direction !== turned && !one.closest("option, bdi");
  });
  each(["8.9"], "p, h1, h2, h3, li, legend, label, td, th, br + br", (one) =>
    (one.matches("br") && one.previousSibling === one.previousElementSibling)
      || (one.matches("p, h1, h2, h3, legend, label") && shown(one) && !one.textContent.trim()
      && !one.matches("[aria-live], [role=status], [role=alert]")
      && !one.querySelector("img, svg, input, button, audio, video")));
  each(["9.1"], "h1, h2, h3, h4, h5, h6", (one) => !one.textContent.trim());
  ask(["9.1"], 1, all("h1").length === 1 ? [] : [`${all("h1").length} h1`]);
  const headed = all("body > header, body > nav, body > * > header").length;
  ask(["9.2", "12.6"], 1, all("main").length === 1 ? [] : [`${all("main").length} main`]);
  each(["9.3"], "ul, ol", (one) => [...one.children].some((child) => !child.matches("li, script, template")));
  each(["10.1"], "*", (one) => one.matches("font, center, big, strike, tt, basefont") ||
    ["align", "bgcolor", "border", "cellpadding", "valign", "background"].some((old) => one.hasAttribute(old)));
  const lettered = all("body *").filter((one) => ["::before", "::after"].some((part) =>
    /\\p{L}{2,}/u.test(getComputedStyle(one, part).content.match(/^"(.*)"$/)?.[1] ?? "")));
  ask(["10.2"], all("body *"), lettered);
  each(["10.13"], "[title]:not(link, svg *, iframe)", () => true);
  each(["11.4"], "input:not([type=hidden]), select, textarea", (one) => {
    const label = one.labels?.[0];
    const around = label?.closest(".field, .choice, fieldset, td, form > div, p") ?? label?.parentElement;
    return label && !around.contains(one);
  });
  const groups = {};
  for (const one of all("input[type=radio], input[type=checkbox]"))
    (groups[`${one.form?.action} ${one.name}`] ??= []).push(one);
  const several = Object.values(groups).filter((group) => group.length > 1).map((group) => group[0]);
  ask(["11.5"], several, several.filter((one) => !one.closest("fieldset, [role=group], [role=radiogroup], td, th")));
  each(["11.6"], "fieldset", (one) => !one.querySelector(":scope > legend")?.textContent.trim());
  each(["11.10"], "[aria-invalid=true]", (one) => {
    const ids = (one.getAttribute("aria-describedby") ?? "").split(" ");
    return !ids.some((id) => document.getElementById(id)?.textContent.trim());
  });
  each(["11.10"], ".error-summary a", (one) => !document.getElementById(one.hash.slice(1)));
  const personal = { tel: /^tel/, email: /^email/ };
  each(["11.13"], "input[type=tel], input[type=email]", (one) =>
    !personal[one.type].test(one.autocomplete) && one.autocomplete !== "off");
  const first = all("a[href], button, input, select, textarea, summary").find((one) => one.tabIndex >= 0);
  const skips = first?.hash && document.getElementById(first.hash.slice(1));
  if (headed) ask(["12.7"], 1, skips ? [] : ["no skip link first"]);
  each(["12.8"], "[tabindex]", (one) => one.tabIndex > 0);
  each(["12.10"], "[accesskey]", () => true);
  each(["13.1"], "meta[http-equiv=refresh i]", () => true);
  each(["13.2"], "a[href], form", (one) => one.target === "_blank" && !/fen[eê]tre|onglet/i.test(one.textContent));
  each(["13.8"], "marquee, blink", () => true);
  return told;
}"""
"""Given the page's language: for each criterion, how many things were looked at and what is wrong."""

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
