// Hearing a page: with the device's own voice, sentence by sentence, else by the audio made ahead, piece by piece.
// Comfort only: every page works without this file.
"use strict";

(() => {
  const box = document.querySelector("[data-listen]");
  const speech = window.speechSynthesis;
  const pieces = [...document.querySelectorAll(".heard audio")];
  if (!box || !(speech || pieces.length)) return;
  const button = box.querySelector("button");
  const READ = "h1, h2, h3, p, li, dt, dd, legend, label, summary, figcaption";
  const made = new WeakSet();
  let sentences = [];
  let at = -1;

  // Voices of the device alone: others would send what is on the page to somebody else's machine.
  const voiceFor = (language) =>
    speech?.getVoices().find((voice) => voice.localService && voice.lang.toLowerCase().split(/[-_]/)[0] === language);

  const languageOf = (element) => element.closest("[lang]").lang.split("-")[0];

  const ownVoice = () => voiceFor(languageOf(document.querySelector("main article[lang]") ?? box));

  const offer = () => {
    box.hidden = !pieces.length && !ownVoice();
  };

  // What stands between two line breaks is one sentence, in a span of its own, so that it can be shown; the span of an
  // earlier reading serves again.
  const split = (block) => {
    const lines = [[]];
    for (const node of [...block.childNodes]) {
      if (node.nodeName === "BR") lines.push([]);
      else if (!(node instanceof Element) || !node.matches(READ + ", ul, ol, svg, input, textarea, select, button.link-button")) lines.at(-1).push(node);
    }
    return lines
      .filter((nodes) => nodes.some((node) => node.textContent.trim()))
      .map((nodes) => {
        const known = nodes.find((node) => made.has(node));
        if (known) return known;
        const span = document.createElement("span");
        nodes[0].before(span);
        span.append(...nodes);
        made.add(span);
        return span;
      });
  };

  const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

  const collect = () =>
    [...document.querySelectorAll("main :is(" + READ + ", button.tile, a.tile)")]
      .filter((element) => visible(element) && !element.closest("[hidden], nav, .heard, .visually-hidden"))
      .flatMap(split);

  const stop = () => {
    pieces[at]?.pause();
    at = -1;
    speech?.cancel();
    document.querySelector(".spoken")?.classList.remove("spoken");
    box.classList.remove("speaking");
    button.setAttribute("aria-pressed", "false");
  };

  const say = (next) => {
    document.querySelector(".spoken")?.classList.remove("spoken");
    const sentence = sentences[next];
    if (!sentence) return stop();
    at = next;
    const words = new SpeechSynthesisUtterance(sentence.textContent.replace(/\s+/g, " ").trim());
    words.lang = languageOf(sentence);
    words.voice = voiceFor(words.lang) ?? null;
    words.rate = 0.9;
    words.onend = words.onerror = () => { if (at === next) say(next + 1); };
    sentence.classList.add("spoken");
    sentence.scrollIntoView({ block: "nearest" });
    if (words.voice) speech.speak(words);
    else say(next + 1);
  };

  const play = (next) => {
    document.querySelector(".spoken")?.classList.remove("spoken");
    const piece = pieces[next];
    if (!piece) return stop();
    at = next;
    const said = document.getElementById(piece.dataset.of);
    said?.classList.add("spoken");
    if (next) said?.scrollIntoView({ block: "nearest" });
    if (piece.networkState === piece.NETWORK_NO_SOURCE) piece.load();
    piece.currentTime = 0;
    piece.onended = () => { if (at === next) play(next + 1); };
    const give = () => { if (at === next) stop(); };
    piece.lastElementChild.onerror = give;
    piece.play().catch(give);
  };

  button.addEventListener("click", () => {
    if (at >= 0) return stop();
    box.classList.add("speaking");
    button.setAttribute("aria-pressed", "true");
    if (!ownVoice()) return play(0);
    sentences = collect(); // at each start: a translation may have come meanwhile
    say(0);
  });
  addEventListener("pagehide", stop);
  speech?.addEventListener?.("voiceschanged", offer);
  offer();
})();
