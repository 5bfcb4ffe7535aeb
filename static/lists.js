// Lists that refresh by themselves. Comfort only: every page works without this file.
"use strict";

// The headings stay in sight while one reads on, unless the list is so wide that its box must scroll.
const box = document.querySelector(".table");
if (box) {
  const table = box.firstElementChild;
  new ResizeObserver(() => box.classList.toggle("fits", table.offsetWidth <= box.clientWidth)).observe(table);
}

// What one reads does not move: the first visible line keeps its place on the
// screen, the focus stays where it is, and new lines are counted aloud once.
const body = document.querySelector("tbody[data-live]");
if (body) {
  const pill = document.querySelector(".count-pill");
  const seen = () => new Set(Array.from(body.rows, (row) => row.id));
  let etag = "";
  let wait = 5000;

  const put = (html) => {
    const before = seen();
    const fresh = document.createElement("tbody");
    fresh.innerHTML = html;
    const anchor = Array.from(body.rows).find((row) => row.getBoundingClientRect().bottom > 0);
    const top = anchor?.getBoundingClientRect().top;
    const focused = document.activeElement?.closest("tr")?.id;
    const old = new Map(Array.from(body.rows, (row) => [row.id, row]));
    const arrived = [];
    const rows = Array.from(fresh.rows, (row) => {
      const known = old.get(row.id);
      if (!known) {
        row.classList.add("new");
        arrived.push(row.id);
        return row;
      }
      const same = known.cloneNode(true);
      same.classList.remove("new");
      if (same.innerHTML === row.innerHTML && same.className === row.className) return known;
      return row;
    });
    const here = document.activeElement;
    body.replaceChildren(...rows);
    if (focused && !body.contains(here)) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
    else if (focused) here.focus({ preventScroll: true });
    const moved = anchor && document.getElementById(anchor.id);
    if (moved && scrollY > 0) scrollBy(0, moved.getBoundingClientRect().top - top);
    if (arrived.length && before.size + arrived.length > 0) {
      body.closest("[hidden]")?.removeAttribute("hidden");
      document.querySelector(".nothing")?.remove();
      pill.hidden = false;
      pill.textContent = `${pill.dataset.arrived} ${arrived.length}`;
    }
  };

  const ask = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(body.dataset.live, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error", cache: "no-store" });
        wait = 5000;
        if (answer.status === 200) {
          etag = answer.headers.get("ETag") || "";
          put(await answer.text());
        }
      } catch {
        wait = Math.min(wait * 2, 60000);
      }
    }
    setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
}
