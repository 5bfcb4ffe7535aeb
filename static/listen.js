// Hearing a page: with the device's own voice, sentence by sentence, else by the audio made ahead, piece by piece.
// Hearing one message of a conversation: with the device's own voice alone.
// Comfort only: every page works without this file.
"use strict";

(() => {
  const box = document.querySelector("[data-listen]");
  const speech = window.speechSynthesis;
  const pieces = [...document.querySelectorAll(".heard audio")];
  if (!speech && !(box && pieces.length)) return;
  const button = box?.querySelector("button");
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
    if (box) box.hidden = !pieces.length && !ownVoice();
    document.documentElement.classList.toggle("voice", Boolean(voiceFor(languageOf(document.documentElement))));
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
    sentences = [];
    speech?.cancel();
    for (const name of ["spoken", "speaking"]) document.querySelector("." + name)?.classList.remove(name);
    button?.setAttribute("aria-pressed", "false");
  };

  const say = (next) => {
    const going = sentences;
    document.querySelector(".spoken")?.classList.remove("spoken");
    if (!going[next]) return stop();
    const [shown, said] = going[next];
    at = next;
    const words = new SpeechSynthesisUtterance(said.replace(/\s+/g, " ").trim());
    words.lang = languageOf(shown);
    words.voice = voiceFor(words.lang) ?? null;
    words.rate = 0.9;
    words.onend = words.onerror = () => { if (going === sentences && at === next) say(next + 1); };
    shown.classList.add("spoken");
    if (going.moves) shown.scrollIntoView({ block: "nearest" });
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

  // A message stands as it is while it is said: what refreshes the page should not take it for another one.
  const hear = (message) => {
    const again = message.matches(".speaking");
    stop();
    if (again) return;
    message.classList.add("speaking");
    const own = languageOf(document.documentElement);
    sentences = [...message.querySelectorAll("p[lang]")]
      .filter((block) => languageOf(block) === own)
      .flatMap((block) => block.textContent.match(/.+?(?:[.!?…؟۔।]+(?=\s)|\n|$)/gs) ?? [])
      .filter((said) => said.trim())
      .map((said) => [message, said]);
    say(0);
  };
  document.addEventListener("click", (event) => {
    const message = event.target.closest(".hear")?.closest(".message");
    if (message) hear(message);
  });

  button?.addEventListener("click", () => {
    const again = box.matches(".speaking");
    stop();
    if (again) return;
    box.classList.add("speaking");
    button.setAttribute("aria-pressed", "true");
    if (!ownVoice()) return play(0);
    sentences = collect().map((block) => [block, block.textContent]); // at each start: a translation may have come
    sentences.moves = true;
    say(0);
  });
  addEventListener("pagehide", stop);
  speech?.addEventListener?.("voiceschanged", offer);
  offer();
})();
