// Translations that arrive while one reads. Comfort only: without this file the next page shows them.
"use strict";

for (const box of document.querySelectorAll("[data-translations]")) {
  let wait = 1000;
  const waits = () => box.querySelector("[data-wanted]");

  // Each place that waits is filled where it stands; nothing else of the page moves or loses the focus.
  const put = (html) => {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const place of box.querySelectorAll("[data-wanted]")) {
      const come = fresh.getElementById(place.id);
      if (!come || come.matches("[data-wanted]")) continue;
      place.removeAttribute("data-wanted");
      place.replaceChildren(...come.childNodes);
    }
  };

  const ask = async () => {
    if (!waits()) return;
    if (!document.hidden) {
      try {
        const answer = await fetch(box.dataset.translations, { redirect: "error", cache: "no-store" });
        if (answer.ok) put(await answer.text());
      } catch {
        // without network: later
      }
      wait = Math.min(wait * 1.3, 30000);
    }
    if (waits()) setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
}
