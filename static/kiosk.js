// A kiosk: who left is forgotten, who is there is never cut off. Without this file the page leads to its warning by itself.
"use strict";

(() => {
  const told = document.currentScript.dataset;
  const page = document.documentElement;
  const SAY_EVERY = 45_000;

  // The start page leaves no place in the history: Back never ends a visit.
  if ("start" in told) {
    addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link) return;
      event.preventDefault();
      location.replace(link.href);
    });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
    return;
  }

  // A page of somebody else's visit, reached by Back: never shown, and its place in the history becomes one's own.
  const whose = history.state?.visit;
  if (whose && whose !== told.visit) {
    page.hidden = true;
    history.replaceState({ visit: told.visit }, "");
    location.replace(told.home);
    return;
  }
  history.replaceState({ ...history.state, visit: told.visit }, "");
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    page.hidden = true;
    location.reload();
  });

  const idle = 1000 * told.idle;
  const warning = 1000 * told.warning;
  let last = Date.now();
  let said = last;
  let shownAt = 0;
  let ending = false;

  const end = () => {
    ending = true;
    page.hidden = true;
    window.speechSynthesis?.cancel();
    sessionStorage.clear();
    localStorage.clear();
    location.replace(told.end);
  };

  // The server must know that somebody is there, or it would believe the visit over.
  const say = async () => {
    said = Date.now();
    try {
      const answer = await fetch(told.still, { redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") end();
    } catch {
      said = 0;
    }
  };

  // A camera's own picture moves without anybody before it.
  const here = (event) => {
    if (ending || shownAt || event.target.srcObject) return;
    last = Date.now();
    if (last - said > SAY_EVERY) say();
  };
  for (const what of ["pointerdown", "touchmove", "keydown", "input", "wheel", "timeupdate"]) {
    addEventListener(what, here, { capture: true, passive: true });
  }

  addEventListener("DOMContentLoaded", () => {
    const dialog = document.getElementById("kiosk-still");
    const number = dialog.querySelector(".countdown");
    const status = dialog.querySelector("[role=status]");
    let spoken = 0;

    // Said at thirty, twenty and ten seconds, not each second.
    const count = (left) => {
      number.textContent = left;
      const step = Math.ceil(left / 10) * 10;
      if (step !== spoken) status.textContent = `${status.dataset.say} ${step}`;
      spoken = step;
    };

    const stay = () => {
      if (ending) return;
      shownAt = spoken = 0;
      last = Date.now();
      status.textContent = "";
      say();
    };
    dialog.addEventListener("close", stay);

    setInterval(() => {
      if (ending) return;
      if (window.speechSynthesis?.speaking && !shownAt) last = Date.now();
      const still = Date.now() - last;
      if (still >= idle + warning) return end();
      if (still < idle) return;
      if (!shownAt) {
        shownAt = Date.now();
        dialog.showModal();
      }
      count(Math.ceil((idle + warning - still) / 1000));
    }, 1000);

    const called = document.getElementById("kiosk-called");
    document.querySelector("[data-call]").addEventListener("submit", async (event) => {
      event.preventDefault();
      const form = event.target;
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), cache: "no-store" });
        // The visit may be over: the answer is then the start page, and nobody was told.
        if (!answer.ok || new URL(answer.url).pathname !== new URL(form.action).pathname) throw new Error(answer.url);
        called.showModal();
      } catch {
        form.submit();
      }
    });

    for (const box of document.querySelectorAll("[data-print]")) {
      box.hidden = false;
      box.firstElementChild.addEventListener("click", () => print());
    }
  });
})();
