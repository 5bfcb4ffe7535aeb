// The waiting room and the talk, on both faces: they refresh by themselves, and what one writes leaves without leaving
// the page. Comfort only: without this file pages refresh as a whole, and one writes on a page of its own.
"use strict";

// What one writes outlives the page, in this tab alone: the talk may end, be cut or be held meanwhile, or another form
// of the page come back. Leaving fast, signing out and wiping a kiosk empty it; a kiosk keeps nothing.
{
  const form = document.querySelector("form[data-line]");
  const typed = form?.querySelector("textarea");
  const late = document.querySelector("[data-unsent]");
  const of = (talk) => `line ${talk}`;
  try {
    if (form?.dataset.line) {
      const key = of(form.dataset.line);
      typed.value ||= sessionStorage.getItem(key) ?? "";
      typed.addEventListener("input", () => {
        try {
          if (typed.value.trim()) sessionStorage.setItem(key, typed.value);
          else sessionStorage.removeItem(key);
        } catch {
          // no storage: what is typed lives as long as the page
        }
      });
    }
    if (late?.hidden) {
      const mine = late.dataset.unsent ? [of(late.dataset.unsent)] : Object.keys(sessionStorage).filter((key) => key.startsWith(of("")));
      const words = mine.map((key) => sessionStorage.getItem(key)).filter(Boolean).join("\n");
      late.querySelector("p").textContent = words;
      late.hidden = !words;
    }
  } catch {
    // the browser keeps nothing for this site
  }
}

const box = document.querySelector("[data-watch]");
if (box) {
  const every = Number(box.dataset.every) * 1000;
  const title = document.title;
  let etag = "";
  let wait = every;
  let timer = 0;
  let under = false;

  // Only what is new or says something else is put in: a screen reader reads that alone, and the focus stays.
  const put = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const pieces = Array.from(fresh.content.children);
    const near = box.getBoundingClientRect().bottom - innerHeight < 300;
    const before = box.querySelectorAll(".message").length;
    const alarm = box.querySelector("[data-alarm]")?.id;
    const kept = new Set(pieces.map((piece) => piece.id));
    for (const old of Array.from(box.children)) if (!kept.has(old.id)) old.remove();
    let last = null;
    for (const piece of pieces) {
      const old = piece.id && document.getElementById(piece.id);
      if (old && old.innerHTML === piece.innerHTML) { last = old; continue; }
      if (old) old.replaceWith(piece);
      else if (last) last.after(piece);
      else box.prepend(piece);
      last = piece;
    }
    for (const one of box.querySelectorAll("[data-hides]")) document.querySelector(one.dataset.hides)?.remove();
    const goes = box.querySelector("[data-goes]");
    if (goes) location.replace(goes.dataset.goes);
    const says = box.querySelector("[data-title]");
    document.title = says ? `● ${says.dataset.title}` : title;
    const danger = box.querySelector("[data-alarm]");
    if (danger && danger.id !== alarm) danger.scrollIntoView(); // whom to call, first of all
    else if (near && box.querySelectorAll(".message").length > before) box.lastElementChild.scrollIntoView({ block: "end" });
  };

  const ask = async () => {
    if (under) return;
    under = true;
    clearTimeout(timer);
    try {
      const answer = await fetch(box.dataset.watch, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "error", cache: "no-store" });
      wait = every;
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        put(await answer.text());
      }
    } catch {
      wait = Math.min(wait * 2, 30000);
    }
    under = false;
    timer = setTimeout(ask, wait);
  };
  timer = setTimeout(ask, wait);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  addEventListener("online", ask);

  // Who waits with the telephone in hand should not lose the page to a dark screen.
  if ("awake" in box.dataset && navigator.wakeLock) {
    const hold = () => { if (!document.hidden) navigator.wakeLock.request("screen").catch(() => {}); };
    hold();
    document.addEventListener("visibilitychange", hold);
  }

  const form = document.querySelector("form[data-line]");
  if (form) {
    document.querySelector("[data-without-script]")?.remove();
    form.hidden = false;
    const typed = form.querySelector("textarea");
    const submission = form.querySelector("[name=submission]");
    const number = () => {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      bytes[6] = (bytes[6] & 15) | 64;
      bytes[8] = (bytes[8] & 63) | 128;
      const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
      return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
    };
    const lost = form.querySelector("[data-lost-line]");
    let failed = null;
    form.addEventListener("submit", async (event) => {
      const card = event.submitter?.name === "card" ? event.submitter : null;
      const what = card ? card.value : typed.value;
      event.preventDefault();
      if (!what.trim() || form.dataset.sent) return;
      form.dataset.sent = "yes";
      if (failed !== null && failed !== what) submission.value = number(); // it may have come: this is another one
      const data = new FormData(form);
      if (card) data.set("card", card.value);
      try {
        const answer = await fetch(form.action, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" }, redirect: "manual" });
        if (answer.status === 204) {
          submission.value = number();
          failed = null;
          lost.hidden = true;
          if (card) card.closest("details").open = false; // what one had begun to type stays
          else {
            typed.value = typed.value.startsWith(what) ? typed.value.slice(what.length) : typed.value; // what came meanwhile stays
            typed.dispatchEvent(new Event("input", { bubbles: true }));
          }
          ask(); // the next message need not wait for it
        } else if (answer.type === "opaqueredirect" || answer.status >= 400) {
          delete form.dataset.sent;
          if (card) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "card", value: card.value }));
          form.submit();
          return;
        }
      } catch {
        // The network is away: what is typed stays, and may be sent again with the same number.
        failed = what;
        lost.hidden = false;
      }
      delete form.dataset.sent;
      (card ? form.querySelector(".cards > summary") : typed).focus();
    });
    typed.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
  }
}
