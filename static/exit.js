// Leaving fast, where somebody may look over the shoulder. Without this file the button is a plain link.
"use strict";

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
