// Forms, on both faces. Comfort only: every page works without this file.
"use strict";
{ // names of its own: a page written over this one, after an upload, runs this file again

// What went wrong takes the focus, so that a screen reader begins there.
document.querySelector(".error-summary, .conflict")?.focus();

// On a telephone the menu begins folded; without this file it stays open, and nothing is out of reach.
for (const menu of document.querySelectorAll("details.menu")) {
  menu.open = !matchMedia("(max-width: 48rem)").matches;
}

// Leaving fast, where somebody may look over the shoulder: without this file the button is a plain link.
// Shift three times leaves too; the sensitive page leaves the history.
const exit = document.querySelector(".exit-button");
if (exit) {
  let times = 0;
  let timer;
  const leave = (event) => { event.preventDefault(); document.body.hidden = true; location.replace(exit.href); };
  exit.addEventListener("click", leave);
  addEventListener("keyup", (event) => {
    times = event.key === "Shift" ? times + 1 : 0;
    clearTimeout(timer);
    timer = setTimeout(() => { times = 0; }, 3000);
    if (times === 3) leave(event);
  });
}

// A second tap on the button does nothing while the first is under way.
for (const form of document.querySelectorAll("form[data-once], form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    delete form.dataset.plain;
  }
});

// Upload progress; on any trouble the browser sends the form in its own way.
for (const form of document.querySelectorAll("form[data-upload]")) {
  form.addEventListener("submit", (event) => {
    const files = form.querySelector("input[type=file]").files;
    if (!files.length || event.defaultPrevented || event.submitter?.name === "switch" || form.dataset.plain) return;
    event.preventDefault();
    const box = form.querySelector(".progress");
    const bar = box.querySelector("progress");
    const request = new XMLHttpRequest();
    const data = new FormData(form);
    if (event.submitter?.name) data.append(event.submitter.name, event.submitter.value);
    box.hidden = false;
    request.upload.addEventListener("progress", (step) => {
      if (step.lengthComputable) bar.value = (100 * step.loaded) / step.total;
    });
    request.addEventListener("load", () => {
      // A card leaves what was being typed in the field of the page that answers.
      if (request.status < 400 && event.submitter?.name !== "card") {
        const there = request.responseURL.split("#")[0];
        const here = there === location.href.split("#")[0];
        location.assign(there + form.dataset.upload);
        if (here) location.reload();
      } else {
        // Written as a page of its own, so that its scripts run: it may be sent again.
        document.open();
        document.write(request.responseText);
        document.close();
      }
    });
    request.addEventListener("error", () => {
      box.hidden = true;
      form.dataset.plain = "yes";
      delete form.dataset.sent;
      form.requestSubmit(event.submitter);
    });
    request.open("POST", form.action);
    request.send(data);
  });
}

// A sheet to take along, with what was folded opened.
const sheet = document.querySelector("[data-sheet]");
if (sheet) {
  sheet.hidden = false;
  sheet.querySelector("button").addEventListener("click", () => print());
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll(".rights details")) folded.open = true;
  });
}

// A public page was seen: this device keeps it, thirty days at most, to be read without network.
const keeper = document.documentElement.dataset.keeper;
if (keeper && navigator.serviceWorker) {
  addEventListener("load", async () => {
    await navigator.serviceWorker.register(keeper).catch(() => {});
    (await navigator.serviceWorker.ready).active.postMessage(location.pathname);
  });
}
}
