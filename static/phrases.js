// The phrasebook beside a message's field: at the start of a line "/" and the two strokes of a code put a sentence in. Comfort only: without
// this file the list and its button do the same (templates/backoffice/phrases.html).
"use strict";

for (const box of document.querySelectorAll("[data-phrases]")) {
  const one = (selector) => box.querySelector(selector);
  const field = document.getElementById(box.dataset.phrases);
  const panel = one("details");
  const list = one("select[name=phrase_id]");
  const find = one("input[name=phrase_find]");
  const add = one("button[value=add]");
  const error = one(".error");
  const strokes = one(".strokes");
  const willRead = one(".will-read");
  const options = [...list.querySelectorAll("option[data-code]")];
  const slots = [...box.querySelectorAll("[data-slot]")];
  const folded = (words) => words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const input = (slot) => slot.querySelector("input, select");

  for (const shown of box.querySelectorAll(".with-script")) shown.hidden = false;
  for (const hidden of box.querySelectorAll(".without-script")) hidden.hidden = true;

  // Only the slots of the sentence chosen.
  const fit = () => {
    const wanted = (list.selectedOptions[0]?.dataset.slots || "").split(" ");
    for (const slot of slots) slot.hidden = !wanted.includes(slot.dataset.slot);
    one(".phrase-slots").hidden = slots.every((slot) => slot.hidden);
    error.hidden = true;
  };
  list.addEventListener("change", fit);
  const wasWrong = !error.hidden;
  fit();
  error.hidden = !wasWrong;

  // On a line of its own, where one was writing.
  const insert = (french) => {
    const at = field.selectionStart;
    const before = field.value.slice(0, at).replace(/ +$/, "");
    const start = before && !before.endsWith("\n") ? "\n" : "";
    field.setRangeText(`${start}${french}\n`, before.length, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // What the person will read; the hidden field tells the server which sentence it is.
  const line = (french, used) => {
    const made = one("template").content.firstElementChild.cloneNode(true);
    made.dataset.french = french;
    made.querySelector("input").value = used;
    made.hidden = true;
    willRead.append(made);
    return (translated) => {
      made.querySelector("bdi").textContent = translated;
      look();
    };
  };

  // A sentence changed by hand is no longer the book's.
  const look = () => {
    for (const made of [...willRead.children]) {
      const there = field.value.includes(made.dataset.french);
      made.querySelector("input").disabled = !there;
      made.hidden = !there || !made.querySelector("bdi").textContent;
      if (!field.value) made.remove();
    }
  };

  const ask = async (option) => {
    const data = new FormData();
    data.set("csrf_token", field.form.elements.csrf_token.value);
    data.set("phrase_id", option.value);
    data.set("phrase_reader", box.dataset.reader);
    for (const slot of slots) if (!slot.hidden) data.set(input(slot).name, input(slot).value);
    try {
      const answer = await fetch(box.dataset.say, { method: "POST", body: data });
      return await answer.json();
    } catch {
      // No network; or nobody is signed in any more, and the answer is a page.
      tell(box.dataset.lost);
      return null;
    }
  };
  const tell = (words) => {
    error.querySelector("span").textContent = words;
    error.hidden = false;
  };
  const translates = box.dataset.reader !== "fr";

  const put = async (option) => {
    if (!option?.dataset.code) return list.focus();
    error.hidden = true;
    if (!option.dataset.slots) {
      const french = option.textContent.split(" · ").slice(1).join(" · ").trim();
      insert(french);
      if (!translates) return;
      const said = line(french, `${option.value}?`);
      const answer = await ask(option);
      if (answer) said(answer.translated);
      return;
    }
    const said = await ask(option);
    if (!said) return;
    if (said.wrong) {
      tell(said.message);
      input(slots.find((slot) => slot.dataset.slot === said.wrong)).focus();
      return;
    }
    insert(said.french);
    if (translates) line(said.french, said.used)(said.translated);
    for (const slot of slots) input(slot).value = "";
    list.value = find.value = "";
    filter();
    panel.open = false;
  };

  const choose = (option) => {
    if (!option.dataset.slots) return put(option);
    panel.open = true;
    list.value = option.value;
    fit();
    input(slots.find((slot) => !slot.hidden)).focus();
  };

  const filter = () => {
    const wanted = folded(find.value).split(/\s+/).filter(Boolean);
    for (const option of options) {
      const words = folded(`${option.parentElement.label} ${option.textContent}`);
      option.hidden = option.disabled = !wanted.every((word) => words.includes(word));
    }
    for (const group of list.querySelectorAll("optgroup")) {
      group.hidden = [...group.children].every((option) => option.hidden);
    }
    if (wanted.length) list.value = options.find((option) => !option.hidden)?.value ?? "";
    fit();
  };
  find.addEventListener("input", filter);
  add.addEventListener("click", (event) => {
    event.preventDefault();
    put(list.selectedOptions[0]);
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      panel.open = false;
      field.focus();
    } else if (event.key === "Enter" && event.target.matches("input, select")) {
      event.preventDefault();
      if (event.target === find) list.selectedOptions[0]?.dataset.code && choose(list.selectedOptions[0]);
      else put(list.selectedOptions[0]);
    }
  });

  // "/", then two strokes, where a line begins: "50 € /mois" and "et/ou" stay as they are.
  field.addEventListener("input", () => {
    look();
    strokes.hidden = true;
    const at = field.selectionStart;
    const typed = /(?:^|\n)[ \t]*\/([a-z]?[a-z0-9]?)$/i.exec(field.value.slice(0, at));
    if (!typed) return;
    const code = typed[1].toLowerCase();
    const here = options.filter((option) => option.dataset.code.startsWith(code));
    if (code.length === 2 && here.length) {
      field.setRangeText("", at - 3, at, "end");
      choose(here[0]);
    } else if (here.length) {
      const said = code
        ? here.map((option) => option.textContent.trim())
        : [...list.querySelectorAll("optgroup")].map((group) => group.label);
      strokes.textContent = said.join("\n");
      strokes.hidden = false;
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") strokes.hidden = true;
  });
}
