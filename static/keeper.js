// Pages once seen, readable without network. Only public ones, asked for without any cookie: never a personal one.
// `portal/offline.py` puts HOUSE before these lines.
"use strict";

const KEPT = `kept-${HOUSE.version}`;
const PAGES = new RegExp(
  `^/(${HOUSE.languages.join("|")})/(?:urgences|maisons|hors-ligne|droits/(?!chercher$)(?:situation/)?[a-z0-9_-]*)$`,
);
const FILES = /(?:href|src)="(\/(?:static\/[\w./-]+\.(?:css|js|svg)|couleurs\.css))/g;
const A_DAY = 86_400_000;
const OLDEST = 30 * A_DAY;
const MOST_TAKEN_OVER = 20;

// What must be there, even if never looked at.
const always = (language) => ["hors-ligne", "urgences", "maisons"].map((page) => `/${language}/${page}`);
const pathOf = (request) => new URL(request.url).pathname;
const copyOf = async (path) => (await caches.open(KEPT)).match(path, { ignoreVary: true });
const isOld = (copy) => Date.now() - Number(copy.headers.get("kept-at")) > OLDEST;

let last = Promise.resolve();
const inTurn = (job) => (last = last.then(job).catch(() => {}));

// As a stranger sees it, with the files it needs. One that may not be kept any more is dropped.
async function keep(cache, path, freshness = "default") {
  const answer = await fetch(path, { credentials: "omit", cache: freshness, redirect: "manual" });
  if (answer.status >= 500) return;
  const control = answer.headers.get("cache-control") ?? "";
  const kind = `${answer.status} ${control}`;
  if (!/^200 .*\bpublic\b/.test(kind) || /no-store|private/.test(kind)) return cache.delete(path);
  // The copy says that it is one, of which day, and nothing of what is true now only.
  let body = (await answer.text()).replace(" data-kept hidden>", ">").replace(" data-kept-day>", () => ">" +
    new Date().toLocaleDateString(`${path.split("/")[1]}-u-ca-gregory-nu-latn`, { dateStyle: "long" }));
  body = body.replace(/<section data-now.*?<\/section>/gs, "");
  const headers = new Headers(answer.headers);
  for (const gone of ["content-encoding", "content-length"]) headers.delete(gone);
  headers.set("kept-at", Date.now());
  headers.set("kept-bytes", new Blob([body]).size);
  headers.set("kept-title", encodeURIComponent(/<h1[^>]*>(.*?)<\/h1>/s.exec(body)?.[1] ?? ""));
  await cache.put(path, new Response(body, { headers }));
  for (const [, file] of PAGES.test(path) ? body.matchAll(FILES) : []) {
    if (!(await cache.match(file))) await keep(cache, file).catch(() => {});
  }
}

// Old pages go, then those seen longest ago.
async function makeRoom(cache, staying) {
  const found = (await cache.keys()).map(pathOf);
  const bytes = {};
  for (const path of found) bytes[path] = Number((await cache.match(path))?.headers.get("kept-bytes")) || 0;
  let total = found.reduce((sum, path) => sum + bytes[path], 0);
  for (const path of found.filter((one) => PAGES.test(one) && !staying.includes(one))) {
    if (total <= HOUSE.most && !isOld(await cache.match(path))) continue;
    await cache.delete(path);
    total -= bytes[path];
  }
}

// A page was seen: keep it, and what must always be there in its language.
async function seen(path) {
  const language = path.split("/")[1];
  if (!HOUSE.languages.includes(language)) return;
  const cache = await caches.open(KEPT);
  for (const page of always(language)) {
    const copy = await cache.match(page);
    if (!copy || Date.now() - Number(copy.headers.get("kept-at")) > A_DAY) {
      await keep(cache, page, "no-cache").catch(() => {});
    }
  }
  if (PAGES.test(path)) await keep(cache, path).catch(() => {});
  await makeRoom(cache, [path, ...always(language)]);
}

// A new version asks for the pages last seen.
async function takeOver() {
  const cache = await caches.open(KEPT);
  for (const name of (await caches.keys()).filter((one) => one !== KEPT)) {
    const before = (await (await caches.open(name)).keys()).map(pathOf).filter((path) => PAGES.test(path));
    for (const path of before.slice(-MOST_TAKEN_OVER)) await keep(cache, path, "no-cache").catch(() => {});
  }
  await makeRoom(cache, []);
}

// The network first; without it, or after a while, the copy; without a copy, what still works.
async function show(event, path) {
  let copy = PAGES.test(path) && await copyOf(path);
  if (copy && isOld(copy) && !always(path.split("/")[1]).includes(path)) copy = null;
  try {
    const network = Promise.resolve(event.preloadResponse).then((early) => early ?? fetch(event.request));
    const late = new Promise((resolve) => { if (copy) setTimeout(resolve, HOUSE.patience, copy); });
    const answer = await Promise.race([network, late]);
    if (!copy || answer.status < 500) return answer;
  } catch { /* no network */ }
  return copy || withoutNetwork(path.split("/")[1]);
}

async function withoutNetwork(wanted) {
  const cache = await caches.open(KEPT);
  const paths = (await cache.keys()).map(pathOf);
  const pages = paths.filter((path) => path.endsWith("/hors-ligne"));
  const place = pages.find((path) => path === `/${wanted}/hors-ligne`) ?? pages.pop();
  if (!place) return Response.error();
  const language = place.split("/")[1];
  const copy = await cache.match(place, { ignoreVary: true });
  let list = "";
  for (const path of paths) {
    if (PAGES.exec(path)?.[1] !== language || always(language).includes(path)) continue;
    const title = (await copyOf(path))?.headers.get("kept-title");
    if (title) list += `<li><a href="${path}">${decodeURIComponent(title)}</a></li>`;
  }
  const body = await copy.text();
  const told = list ? body.replace(" data-kept-pages hidden>", ">").replace("<li></li>", () => list) : body;
  return new Response(told, { status: 503, headers: copy.headers });
}

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(inTurn(takeOver));
});
addEventListener("activate", (event) => event.waitUntil((async () => {
  await registration.navigationPreload?.enable();
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
})()));
addEventListener("message", (event) => event.waitUntil(inTurn(() => seen(String(event.data)))));
addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin || pathname === "/quitter") return;
  if (mode === "navigate") event.respondWith(show(event, pathname));
  else if (/\.(css|js|svg)$/.test(pathname)) {
    event.respondWith(fetch(event.request).catch(async () => (await copyOf(pathname)) ?? Response.error()));
  }
});
