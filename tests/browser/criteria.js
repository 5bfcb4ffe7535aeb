// What a page can be asked for the criteria of RGAA; each question names those it serves. An expression: a function.
([language, scripts]) => {
  const told = {};
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const all = (selector) => [...document.querySelectorAll(selector)];
  const name = (one) => `${one.tagName.toLowerCase()}${one.id ? "#" + one.id : ""}.${one.className} “${
    (one.textContent || "").trim().replace(/\s+/g, " ").slice(0, 40)}”`;
  // A criterion that has nothing to look at on this page says nothing of it.
  const ask = (criteria, looked, wrong) => {
    for (const criterion of criteria) {
      const one = (told[criterion] ??= { looked: 0, wrong: [], judged: 0 });
      one.looked += looked.length ?? looked;
      one.wrong.push(...wrong.map((it) => (typeof it === "string" ? it : name(it))));
    }
  };
  const each = (criteria, selector, bad) => {
    const found = all(selector);
    ask(criteria, found, found.filter(bad));
  };

  // Something is there, and only a person can say whether it is right: a script can but say that nothing is there.
  const shows = (criteria, found) => {
    ask(criteria, found, []);
    for (const criterion of criteria) told[criterion].judged += found.length;
  };

  each(["1.2"], "svg:not([role=img])", (one) => !one.closest("[aria-hidden=true], [role=img]"));
  each(["2.1", "2.2"], "iframe, frame", (one) => !one.title);
  // What a camera sends now has no transcript, no captions and no end; only what was recorded has.
  const recorded = (...kinds) => kinds.flatMap((kind) => [`${kind}[src]`, `${kind}:has(source)`]).join(", ");
  shows(["1.4", "1.5"], all("[class*=captcha i], [id*=captcha i], [name*=captcha i], [src*=captcha i]"));
  shows(["1.8"], all("img, canvas, object, embed, svg text").filter(shown));
  shows(["1.9"], all("figure:has(img, svg, canvas, object)").filter(shown));
  shows(["4.1", "4.2"], all(recorded("audio", "video")));
  shows(["4.4", "4.5", "4.6"], all(recorded("video")));
  each(["4.7"], recorded("audio", "video"), (one) => !(one.ariaLabel || document.getElementById(one.getAttribute("aria-labelledby"))
    ?.textContent.trim() || one.closest("figure")?.querySelector("figcaption")?.textContent.trim()));
  shows(["4.8", "4.9", "4.12"], all("object, embed, applet, canvas, [role=application]"));
  each(["4.10"], recorded("audio", "video"), (one) => one.autoplay);
  each(["4.11", "4.13"], recorded("audio", "video"), (one) => !one.controls);
  shows(["5.1"], all("table").filter((one) => one.querySelector("th[rowspan], th[colspan], thead tr + tr")));
  each(["4.3"], recorded("video"), (one) => !one.querySelector("track[kind=captions], track[kind=subtitles]"));
  each(["5.4"], "table", (one) =>
    !one.caption && !one.getAttribute("aria-label") && !one.getAttribute("aria-labelledby"));
  each(["5.6", "5.7"], "table", (one) => [...one.querySelectorAll("th")].some((head) => !head.scope)
    || !one.querySelector("th"));
  each(["5.3", "5.8"], "table[role=presentation], table[role=none]", (one) => one.querySelector("th, caption"));
  const vague = /^(ici|cliquez ici|ce lien|lien|lire la suite|suite|en savoir plus|voir|plus|here|click here|more|هنا|اضغط هنا)$/i;
  each(["6.1"], "a[href]", (one) => vague.test(one.textContent.trim()));
  each(["7.5"], ".error-summary", (one) => one.getAttribute("role") !== "alert");
  each(["7.5"], "[role=status], [role=alert], [aria-live], progress", () => false);
  ask(["8.1"], 1, document.doctype?.name === "html" && document.compatMode === "CSS1Compat" ? [] : ["no doctype"]);
  ask(["8.3", "8.4"], 1, document.documentElement.lang === language ? [] : [document.documentElement.lang]);
  const title = document.title.trim();
  ask(["8.5"], 1, title ? [] : ["no title"]);
  ask(["8.6"], 1, /\S+ – \S+/.test(title) ? [] : [title]);

  // Words in other letters than their language's; where letters are the same, those that only French has.
  const scripts_of = { ar: "Arabic", fa: "Arabic", ps: "Arabic", ur: "Arabic", uk: "Cyrillic", ru: "Cyrillic",
    bn: "Bengali", ti: "Ethiopic", am: "Ethiopic", ka: "Georgian", hy: "Armenian", zh: "Han", el: "Greek", ta: "Tamil" };
  const alone = (...words) => `(?<!\\p{L})(${words.join("|")})(?!\\p{L})|(?<!\\p{L})[ldn]['’]\\p{L}`;
  const french = {
    en: new RegExp(`[éèêàâçœôûîïë]|${alone("du", "des", "aux", "les", "une", "et")}`, "iu"),
    es: new RegExp(`[èêàâçœôûîïë]|${alone("du", "des", "aux", "et")}`, "iu"),
    ro: new RegExp(`[éèêàçœôûïë]|${alone("du", "aux", "et", "les")}`, "iu"),
    tr: new RegExp(`[éèêàœôë]|${alone("du", "des", "aux", "les", "une")}`, "iu"),
  };
  const usual = /^(cookies?|e-?mail|wi-?fi|pdf|sms|jpe?g|openmoji|cc by-sa)$/i;
  const named = /\p{Lu}\p{L}+(?:-\p{Lu}\p{L}+)*/gu;
  const address = /\S+[.@/]\S+/g;
  const foreign = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let texts = 0;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const inside = node.parentElement;
    // People's own words have their language as a whole; a name set apart is a proper name.
    if (inside.closest("script, style, template, textarea, svg, [translate=no], [dir=auto], bdi:not([lang]), code")) continue;
    if (!node.data.trim()) continue;
    texts += 1;
    const lang = (inside.closest("[lang]")?.lang ?? "").split("-")[0];
    if (lang === "") continue;
    const words = node.data.replace(address, " ");
    const script = new RegExp(`\\p{Script=${scripts_of[lang] ?? "Latin"}}`, "u");
    const wrong = (words.match(/\p{L}[\p{L}'’-]+/gu) ?? []).filter((word) => !script.test(word) && !usual.test(word));
    // Words with a capital each are a name (Poitiers, Nadia Benali, RSA): names need no mark.
    if (wrong.some((word) => !/^\p{Lu}/u.test(word)) || french[lang]?.test(words.replace(named, " ")))
      foreign.push(`${lang}: ${inside.tagName.toLowerCase()}.${inside.className}: ${(wrong.length ? wrong : [words.trim()]).slice(0, 4).join(" ").slice(0, 80)}`);
  }
  ask(["8.7"], texts, foreign);
  each(["8.8"], "body [lang]", (one) => !/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/.test(one.lang));
  const rtl = ["ar", "fa", "ps", "ur", "he", "ku", "ckb"];
  ask(["8.10"], 1, document.documentElement.dir === (rtl.includes(language) ? "rtl" : "ltr") ? [] : ["html"]);
  each(["8.10"], "body [lang]", (one) => {
    const turned = rtl.includes(one.lang.split("-")[0]) ? "rtl" : "ltr";
    // Digits alone run from left to right in every language.
    return /\p{L}/u.test(one.textContent) && getComputedStyle(one).direction !== turned && !one.closest("option, bdi");
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
    /\p{L}{2,}/u.test(getComputedStyle(one, part).content.match(/^"(.*)"$/)?.[1] ?? "")));
  ask(["10.2"], all("body *"), lettered);
  const grounded = (one) => {
    for (let at = one; at; at = at.parentElement)
      if (getComputedStyle(at).backgroundColor !== "rgba(0, 0, 0, 0)") return true;
    return false;
  };
  each(["10.5"], "body *", (one) => shown(one) && [...one.childNodes].some((it) => it.nodeType === 3 && it.data.trim())
    && !grounded(one) || (getComputedStyle(one).backgroundImage.includes("url(") && !grounded(one)));
  const rules = (list) => [...list].flatMap((rule) => rule.cssRules?.length ? [rule, ...rules(rule.cssRules)] : [rule]);
  const styled = [...document.styleSheets].flatMap((sheet) => rules(sheet.cssRules));
  // What a pointer brings to light, the keyboard should too.
  const shows_something = ["display", "visibility", "opacity", "content", "clip-path", "block-size", "height"];
  const hovered = styled.filter((rule) => /:hover/.test(rule.selectorText ?? "")
    && shows_something.some((what) => rule.style.getPropertyValue(what)));
  ask(["10.14"], hovered, hovered.filter((rule) => !/:focus/.test(rule.selectorText)).map((rule) => rule.selectorText));
  const hears = (...events) => scripts.filter((text) =>
    events.some((one) => new RegExp(`["']${one}["']|\\bon${one}\\b`).test(text))).map(() => "a script");
  const pointed = hears("mouseenter", "mouseover", "pointerenter", "pointerover");
  shows(["10.13", "12.11"], pointed);
  const one_key = /\bkey\b[^;\n]*===?\s*["'][^\s"']["']/;
  shows(["12.10"], scripts.filter((text) => one_key.test(text)));
  shows(["13.10"], hears("touchmove", "pointermove", "mousemove", "gesturestart", "dragstart"));
  shows(["13.11"], hears("mousedown", "pointerdown", "touchstart"));
  shows(["13.12"], hears("devicemotion", "deviceorientation"));
  const turned_css = styled.filter((rule) => /orientation/.test(rule.conditionText ?? ""));
  ask(["13.9"], 1, [...turned_css.filter((rule) => /rotate|display: none/.test(rule.cssText)).map((rule) => rule.conditionText),
    ...scripts.filter((text) => /orientation\.lock/.test(text)).map(() => "a script locks it")]);
  const moves = all("body *").filter((one) => shown(one) && getComputedStyle(one).animationName !== "none");
  shows(["13.7"], [...moves, ...all("img[src$='.gif'], video[src], video:has(source), blink")]);
  ask(["13.8"], moves, moves.filter((one) => {
    const style = getComputedStyle(one);
    return style.animationIterationCount === "infinite" || parseFloat(style.animationDuration) > 5;
  }));
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
  each(["11.10"], ".error-summary a[href*='#']", (one) => !document.getElementById(one.hash.slice(1)));
  const personal = { tel: /^tel/, email: /^email/ };
  each(["11.13"], "input[type=tel], input[type=email]", (one) =>
    !personal[one.type].test(one.autocomplete) && one.autocomplete !== "off");
  const first = all("a[href], button, input, select, textarea, summary").find((one) => one.tabIndex >= 0);
  const skips = first?.hash && document.getElementById(first.hash.slice(1));
  if (headed) ask(["12.7"], 1, skips ? [] : ["no skip link first"]);
  each(["12.8"], "[tabindex]", (one) => one.tabIndex > 0);
  each(["12.10"], "[accesskey]", () => true);
  each(["13.1"], "meta[http-equiv=refresh i]", () => true);
  shows(["13.1"], all("[data-idle], [data-live], [data-every], [data-until]"));
  const drawn = /(?<![\w/])[:;]-?[)(DPp](?!\w)|[\^*=~_|\\/<>+#]{5,}|\p{Extended_Pictographic}/u;
  shows(["13.5", "13.6"], all("main p, main li, main td, main dd").filter((one) => drawn.test(one.innerText.replace(/[©®™]/g, ""))));
  each(["13.2"], "a[href], form", (one) => one.target === "_blank" && !/fen[eê]tre|onglet/i.test(one.textContent));
  each(["13.8"], "marquee, blink", () => true);
  return told;
}
