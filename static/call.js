// Seeing and hearing each other in a talk, in the browser; and trying one's camera before. Comfort only: without this
// file, a camera or a microphone, one writes. Words come from the page's `data-say-…`, in the person's language.
"use strict";

(() => {
  const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const VIDEO = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 20, max: 24 }, facingMode: "user" };
  const possible = navigator.mediaDevices?.getUserMedia && window.RTCPeerConnection;
  const same = (device) => (device ? { deviceId: { exact: device } } : {});

  // What this device lets us take: what is refused is gone without.
  const take = async ({ audio, video }) => {
    const ask = (what) => navigator.mediaDevices.getUserMedia(what).catch(() => null);
    if (audio && video) {
      const both = await ask({ audio, video });
      if (both) return both.getTracks();
    }
    const tracks = [];
    if (audio) tracks.push(...((await ask({ audio }))?.getTracks() ?? []));
    if (video) tracks.push(...((await ask({ video }))?.getTracks() ?? []));
    return tracks;
  };
  const kind = (tracks, name) => tracks.find((track) => track.kind === name) ?? null;

  // The devices to choose among; there is nothing to choose from one.
  const fill = async (select, name, chosen) => {
    const found = (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === name && one.deviceId);
    select.replaceChildren(...found.map((one, place) => new Option(one.label || `${place + 1}`, one.deviceId, false, one.deviceId === chosen)));
    select.closest("[data-choice]").hidden = found.length < 2;
  };

  const box = document.querySelector("[data-call]");
  if (box) call(box);
  const check = document.querySelector("[data-camera-check]");
  if (check) tryOut(check);

  function call(box) {
    const find = (name) => box.querySelector(`[data-${name}]`);
    const all = (name) => box.querySelectorAll(`[data-${name}]`);
    const status = find("status");
    const faces = find("faces");
    const say = (name) => {
      const words = box.getAttribute(`data-say-${name}`);
      box.dataset.state = name;
      if (words !== null && status.textContent !== words) status.textContent = words;
    };
    box.hidden = false;
    if (!possible) return say("impossible");

    const peers = new Map();
    const now = () => performance.now();
    let seat = 0, heard = [], ice = null, queue = [], timer = 0, busy = false, again = false;
    let microphone = null, camera = null, inside = false, wantsVideo = false, saves = false, watch = 0;
    let hurriedUntil = 0, heardAt = 0, tries = 0, run = 0;
    const line = navigator.connection;

    const post = async (what, body) => {
      const stop = new AbortController();
      const patience = setTimeout(() => stop.abort(), 8000);
      try {
        return await fetch(box.dataset[what], {
          method: "POST", cache: "no-store", redirect: "error", signal: stop.signal, body: JSON.stringify(body),
          headers: { "Content-Type": "application/json", "X-CSRFToken": box.dataset.token },
        });
      } finally {
        clearTimeout(patience);
      }
    };

    // The tab remembers that one is in this call, so that a page loaded again takes it up by itself.
    const mark = `call ${box.dataset.ticket}`;
    const remember = (how) => {
      try {
        if (how) sessionStorage.setItem(mark, how);
        else sessionStorage.removeItem(mark);
      } catch {
        // A browser that keeps nothing.
      }
    };
    const remembered = () => {
      try {
        return sessionStorage.getItem(mark);
      } catch {
        return null;
      }
    };

    // ---- Going in and out

    async function enter(mine) {
      try {
        const asked = await post("ticket", {});
        if (!asked.ok) return refused(asked.status);
        const entered = await post("enter", await asked.json());
        if (!entered.ok) return refused(entered.status);
        const told = await entered.json();
        if (mine !== run) return;
        [seat, ice, heardAt, tries] = [told.seat, told.ice, now(), 0];
        hurry(30000);
        meet(told.people);
        wake();
      } catch {
        later(() => mine === run && enter(mine));
      }
    }

    // Refused for good: the talk is over, or is not this person's. On hold or busy: once more in a moment.
    function refused(code) {
      if (code === 404 || code === 403 || code === 400) return leave("ended");
      if (code === 423) return rest();
      const mine = run;
      later(() => mine === run && enter(mine));
    }

    // On hold nobody hears anybody; the call goes on by itself when the talk does.
    function rest() {
      for (const one of [...peers.values()]) part(one);
      seat = 0;
      clearTimeout(timer);
      say("held");
      timer = setTimeout(begin, 4000);
    }

    const later = (act) => {
      say("lost");
      clearTimeout(timer);
      timer = setTimeout(act, Math.min(1000 * 2 ** tries++, 8000) * (0.75 + Math.random() / 2));
    };

    // A fresh seat for all: what mends everything that an ICE restart does not.
    function begin() {
      for (const one of [...peers.values()]) part(one);
      clearTimeout(timer);
      [seat, queue, heard, run] = [0, [], [], run + 1];
      enter(run);
    }

    function leave(why) {
      if (seat) {
        const form = new FormData();
        form.append("csrf_token", box.dataset.token);
        form.append("seat", seat);
        navigator.sendBeacon(box.dataset.leave, form);
      }
      run += 1;
      seat = 0;
      inside = false;
      if (why !== "away") remember("");
      clearTimeout(timer);
      clearInterval(watch);
      for (const one of [...peers.values()]) part(one);
      microphone?.stop();
      camera?.stop();
      microphone = camera = null;
      find("own").srcObject = null;
      if (why !== "away" && find("tools").contains(document.activeElement)) status.focus();
      find("tools").hidden = faces.hidden = true;
      find("start").hidden = false;
      say(why);
    }

    // ---- What the pages tell each other, through our server

    const hurry = (length) => { hurriedUntil = Math.max(hurriedUntil, now() + length); };
    const send = (to, what, body) => { queue.push({ to, kind: what, body }); wake(); };

    // Often while something is under way, else seldom: a thousand people may be in talks.
    function pause() {
      const settled = [...peers.values()].every((one) => one.pc.connectionState === "connected");
      if (now() < hurriedUntil && !(peers.size && settled)) return 300;
      return peers.size && settled ? 1500 : 1000;
    }

    function wake() {
      if (!seat) return;
      if (busy) { again = true; return; }
      clearTimeout(timer);
      timer = setTimeout(exchange, 30);
    }

    async function exchange() {
      const mine = run;
      const signals = queue.splice(0, 40);
      busy = true;
      let code = 0, told = null;
      try {
        const answer = await post("exchange", { seat, heard, signals });
        code = answer.status;
        if (answer.ok) told = await answer.json();
      } catch {
        code = 0;
      }
      busy = false;
      // Another seat was taken meanwhile: its first words waited for this answer.
      if (mine !== run) return wake();
      if (code === 409) return leave("elsewhere");
      if (code === 423) return rest();
      if (code === 410) return begin();
      if (code === 404 || code === 403 || code === 400) return leave("ended");
      if (!told) {
        queue.unshift(...signals);
        show();
        timer = setTimeout(exchange, Math.min(1000 * 2 ** tries++, 4000));
        return;
      }
      // Too long away: the others may have forgotten this seat.
      if (now() - heardAt > 40000) return begin();
      [heardAt, tries] = [now(), 0];
      // What was heard is said in the next exchange; an answer that was lost brings the same once more.
      const before = new Set(heard);
      heard = told.signals.map((signal) => signal.id);
      for (const signal of told.signals) if (!before.has(signal.id)) await hear(signal);
      if (mine !== run) return;
      meet(told.people);
      const soon = again || queue.length;
      again = false;
      clearTimeout(timer);
      timer = setTimeout(exchange, soon ? 30 : pause());
    }

    // ---- The others: who came last calls those who were here

    function meet(people) {
      const here = new Set(people.map((one) => one.seat));
      for (const one of [...peers.values()]) {
        if (!here.has(one.seat)) part(one);
      }
      for (const one of people) {
        const known = peers.get(one.seat);
        if (known) name(known, one.name);
        else if (one.seat < seat) join(one.seat, one.name, true);
      }
      show();
    }

    function name(one, words) {
      if (words) one.tile.querySelector("bdi").textContent = words;
    }

    function join(other, words, calls) {
      const pc = new RTCPeerConnection({ iceServers: ice.servers, iceTransportPolicy: ice.policy });
      const tile = find("tile").content.firstElementChild.cloneNode(true);
      const one = { seat: other, pc, tile, polite: seat > other, making: false, ignores: false, level: 0, bad: 0, good: 0, lostAt: 0, ahead: [] };
      peers.set(other, one);
      name(one, words);
      faces.append(tile);
      const stream = new MediaStream();
      tile.querySelector("video").srcObject = stream;
      pc.ontrack = ({ track }) => stream.addTrack(track);
      pc.onicecandidate = ({ candidate }) => candidate?.candidate && send(other, "candidate", candidate.toJSON());
      pc.onnegotiationneeded = () => { if (pc.remoteDescription || calls) offer(one); };
      pc.onconnectionstatechange = () => changed(one);
      if (calls) {
        pc.addTransceiver("audio");
        pc.addTransceiver("video");
        give(one);
      }
      hurry(15000);
      tellState(one);
      return one;
    }

    function part(one) {
      peers.delete(one.seat);
      clearTimeout(one.mending);
      one.pc.onconnectionstatechange = one.pc.onicecandidate = one.pc.onnegotiationneeded = null;
      one.pc.close();
      one.tile.remove();
      queue = queue.filter((signal) => signal.to !== one.seat);
    }

    const sender = (one, place) => one.pc.getTransceivers()[place]?.sender;

    // Our voice and image, on the two lines that whoever called opened.
    function give(one) {
      const lines = one.pc.getTransceivers();
      lines.forEach((transceiver, place) => {
        if (transceiver.direction !== "stopped" && transceiver.direction !== "sendrecv") transceiver.direction = "sendrecv";
        transceiver.sender.replaceTrack(place ? camera : microphone).catch(() => {});
      });
    }

    async function offer(one) {
      try {
        one.making = true;
        await one.pc.setLocalDescription();
        send(one.seat, one.pc.localDescription.type, { sdp: one.pc.localDescription.sdp });
      } catch {
        // Closed meanwhile.
      } finally {
        one.making = false;
      }
    }

    // Perfect negotiation: when both offer at once, the polite one gives way.
    async function hear({ from, kind: what, body }) {
      let one = peers.get(from);
      if (!one && what !== "candidate") one = join(from, "", false);
      if (!one) return;
      const pc = one.pc;
      try {
        if (what === "offer" || what === "answer") {
          const clash = what === "offer" && (one.making || pc.signalingState !== "stable");
          one.ignores = clash && !one.polite;
          if (one.ignores || (what === "answer" && pc.signalingState !== "have-local-offer")) return;
          await pc.setRemoteDescription({ type: what, sdp: body.sdp });
          for (const candidate of one.ahead.splice(0)) await pc.addIceCandidate(candidate).catch(() => {});
          if (what === "offer") {
            give(one);
            await pc.setLocalDescription();
            send(from, "answer", { sdp: pc.localDescription.sdp });
            hurry(8000);
          }
          adapt(one);
        } else if (what === "candidate") {
          if (pc.remoteDescription) await pc.addIceCandidate(body);
          else one.ahead.push(body);
        } else if (what === "mute") {
          one.tile.dataset.audio = body.audio ? "on" : "off";
          one.tile.dataset.video = body.video ? "on" : "off";
          one.tile.querySelector("[data-muted]").hidden = body.audio;
        }
      } catch {
        if (!one.ignores) mend(one, 1000);
      }
    }

    const tellState = (one) => send(one.seat, "mute", { audio: Boolean(microphone?.enabled), video: Boolean(camera && one.level < 2) });
    const tellAll = () => peers.forEach(tellState);

    // ---- When the network changes or breaks

    function changed(one) {
      const state = one.pc.connectionState;
      if (state === "connected") {
        one.lostAt = 0;
        clearTimeout(one.mending);
        one.mending = 0;
      } else if (state === "disconnected") mend(one, 1500);
      else if (state === "failed" || state === "closed") mend(one, 0);
      show();
    }

    function mend(one, delay) {
      one.lostAt ||= now();
      hurry(20000);
      wake();
      if (one.mending) return;
      one.mending = setTimeout(() => {
        one.mending = 0;
        if (!peers.has(one.seat) || one.pc.connectionState === "connected") return;
        // Our server answers and still nothing passes: everything anew.
        if (now() - one.lostAt > 25000 && now() - heardAt < 3000) return begin();
        if (one.pc.signalingState === "stable") one.pc.restartIce();
        mend(one, 4000);
      }, delay);
    }

    const moved = () => {
      if (!seat) return;
      tries = 0;
      hurry(15000);
      for (const one of peers.values()) {
        one.pc.restartIce();
        if (one.pc.connectionState !== "connected") mend(one, 4000);
      }
      wake();
    };
    addEventListener("online", moved);
    addEventListener("offline", show);
    line?.addEventListener?.("change", () => { if (navigator.onLine) moved(); });

    // ---- The voice first: the image shrinks, then rests, when little passes

    async function adapt(one) {
      const bits = one.level === 1 || saves ? 120000 : 600000 / Math.max(peers.size, 1);
      for (const [place, values] of [
        [0, { maxBitrate: one.level || saves ? 20000 : 40000, priority: "high", networkPriority: "high", active: true }],
        [1, { maxBitrate: bits, maxFramerate: bits > 120000 ? 24 : 12, scaleResolutionDownBy: bits > 120000 ? 1 : 2.5, priority: "low", networkPriority: "low", active: one.level < 2 }],
      ]) {
        const way = sender(one, place);
        const set = way?.getParameters();
        if (!set?.encodings?.length) continue;
        Object.assign(set.encodings[0], values);
        await way.setParameters(set).catch(() => {});
      }
    }

    async function measure() {
      for (const one of peers.values()) {
        if (one.pc.connectionState !== "connected") continue;
        let lost = 0, slow = 0, room = Infinity;
        for (const report of (await one.pc.getStats()).values()) {
          if (report.type === "remote-inbound-rtp") {
            lost = Math.max(lost, report.fractionLost ?? 0);
            slow = Math.max(slow, report.roundTripTime ?? 0);
          }
          if (report.type === "candidate-pair" && report.nominated && report.availableOutgoingBitrate) room = Math.min(room, report.availableOutgoingBitrate);
        }
        judge(one, lost > 0.1 || slow > 1 || room < 90000);
      }
    }

    // Down after two bad looks, up after five good ones: an image that comes and goes tires more than none.
    function judge(one, isBad) {
      one.bad = isBad ? one.bad + 1 : 0;
      one.good = isBad ? 0 : one.good + 1;
      const level = one.bad >= 2 && one.level < 2 ? one.level + 1 : one.good >= 5 && one.level > 0 ? one.level - 1 : one.level;
      if (level === one.level) return;
      [one.level, one.bad, one.good] = [level, 0, 0];
      adapt(one);
      tellState(one);
      show();
    }

    // ---- What one sees and presses

    function show() {
      if (!seat) return;
      const states = [...peers.values()].map((one) => one.pc.connectionState);
      for (const one of peers.values()) one.tile.dataset.state = one.pc.connectionState;
      if (!navigator.onLine || (tries > 1 && !states.includes("connected"))) say("lost");
      else if (!states.length) say("alone");
      else if (states.every((state) => state === "connected")) say([...peers.values()].some((one) => one.level === 2 && camera) ? "weak" : !microphone ? "silent" : !microphone.enabled ? "muted" : wantsVideo && !camera ? "voice" : "connected");
      else if ([...peers.values()].some((one) => one.lostAt)) say("lost");
      else say("joining");
    }

    function buttons() {
      for (const button of all("tool")) {
        const on = { microphone: microphone?.enabled, camera: Boolean(camera), save: saves }[button.dataset.tool];
        if (on === undefined && button.dataset.tool !== "microphone") continue;
        button.querySelector("[data-when-on]").hidden = !on;
        button.querySelector("[data-when-off]").hidden = Boolean(on);
      }
      const own = find("own");
      own.closest("[data-own-tile]").hidden = !camera;
      const shown = own.srcObject?.getVideoTracks()[0] ?? null;
      if (shown !== camera) own.srcObject = camera && new MediaStream([camera]);
    }

    // A device may be pulled out, or taken back by its owner, in the middle of a talk.
    const lend = (track) => {
      if (track) track.onended = () => {
        if (track === camera) camera = null;
        if (track === microphone) microphone = null;
        spread();
      };
      return track;
    };

    function spread() {
      peers.forEach(give);
      tellAll();
      buttons();
      show();
    }

    async function start(withVideo, again = false) {
      find("start").hidden = inside = true;
      remember(withVideo ? "video" : "voice");
      wantsVideo = withVideo;
      saves = Boolean(line?.saveData || /2g/.test(line?.effectiveType ?? ""));
      say("opening");
      const mine = ++run;
      const tracks = await take({ audio: AUDIO, video: withVideo && VIDEO });
      if (mine !== run) return tracks.forEach((track) => track.stop());
      microphone = lend(kind(tracks, "audio"));
      camera = lend(kind(tracks, "video"));
      find("tools").hidden = faces.hidden = false;
      if (!again) find("tools").querySelector("button").focus();
      buttons();
      choices();
      watch = setInterval(measure, 3000);
      begin();
    }

    function choices() {
      fill(find("choose-camera"), "videoinput", camera?.getSettings().deviceId);
      fill(find("choose-microphone"), "audioinput", microphone?.getSettings().deviceId);
    }

    async function replace(what, device) {
      const video = what === "camera";
      const tracks = await take(video ? { video: { ...VIDEO, ...same(device) } } : { audio: { ...AUDIO, ...same(device) } });
      if (!inside) return tracks.forEach((track) => track.stop());
      const fresh = lend(tracks[0] ?? null);
      if (video) {
        camera?.stop();
        camera = fresh;
        wantsVideo = true;
        remember("video");
      } else {
        microphone?.stop();
        microphone = fresh;
      }
      spread();
      choices();
    }

    const press = {
      microphone() {
        if (!microphone) return replace("microphone");
        microphone.enabled = !microphone.enabled;
        tellAll();
        buttons();
        show();
      },
      camera() {
        if (!camera) return replace("camera");
        camera.stop();
        camera = null;
        wantsVideo = false;
        remember("voice");
        spread();
      },
      save() {
        saves = !saves;
        peers.forEach(adapt);
        buttons();
      },
      leave() { leave("left"); },
    };
    for (const button of all("begin")) button.addEventListener("click", () => start(button.dataset.begin === "video"));
    for (const button of all("tool")) button.addEventListener("click", () => press[button.dataset.tool]());
    find("choose-camera").addEventListener("change", ({ target }) => replace("camera", target.value));
    find("choose-microphone").addEventListener("change", ({ target }) => replace("microphone", target.value));
    addEventListener("pagehide", () => { if (inside) leave("away"); });
    say("ready");
    const before = remembered();
    if (before) start(before === "video", true);
  }

  // ---- Before a talk: does the camera work, does the microphone, does one hear?

  function tryOut(box) {
    const find = (name) => box.querySelector(`[data-${name}]`);
    const say = (name, words) => {
      const place = find(name);
      place.textContent = box.getAttribute(`data-say-${words}`);
      place.dataset.found = words;
      place.hidden = false;
    };
    let tracks = [], sound = null, drawing = 0;
    box.hidden = false;
    if (!possible) return say("camera-said", "impossible");

    const stop = () => {
      clearInterval(drawing);
      tracks.forEach((track) => track.stop());
      sound?.close();
      [tracks, sound] = [[], null];
    };

    // The bar follows the voice; once it was loud enough, words say so.
    function listen(track) {
      sound = new AudioContext();
      const ear = sound.createAnalyser();
      sound.createMediaStreamSource(new MediaStream([track])).connect(ear);
      const heard = new Float32Array(ear.fftSize);
      let said = false;
      drawing = setInterval(() => {
        ear.getFloatTimeDomainData(heard);
        const loud = Math.sqrt(heard.reduce((sum, one) => sum + one * one, 0) / heard.length);
        find("level").value = Math.min(1, loud * 6);
        if (loud > 0.02 && !said) {
          said = true;
          say("microphone-said", "heard");
        }
      }, 100);
    }

    async function look(camera, microphone) {
      stop();
      tracks = await take({ audio: { ...AUDIO, ...same(microphone) }, video: { ...VIDEO, ...same(camera) } });
      const [video, audio] = [kind(tracks, "video"), kind(tracks, "audio")];
      const preview = find("preview");
      preview.hidden = !video;
      preview.srcObject = video && new MediaStream([video]);
      find("level").hidden = !audio;
      find("tried").hidden = false;
      say("camera-said", video ? "seen" : "no-camera");
      say("microphone-said", audio ? "speak" : "no-microphone");
      if (audio) listen(audio);
      fill(find("choose-camera"), "videoinput", video?.getSettings().deviceId);
      fill(find("choose-microphone"), "audioinput", audio?.getSettings().deviceId);
    }

    find("try").addEventListener("click", () => { find("try").hidden = true; look(); });
    find("sound").addEventListener("click", () => {
      const player = new AudioContext();
      const tone = player.createOscillator();
      const loudness = player.createGain();
      loudness.gain.value = 0.15;
      tone.frequency.value = 523;
      tone.connect(loudness).connect(player.destination);
      tone.onended = () => player.close();
      tone.start();
      tone.frequency.setValueAtTime(659, player.currentTime + 0.35);
      tone.stop(player.currentTime + 0.8);
    });
    for (const name of ["camera", "microphone"]) {
      find(`choose-${name}`).addEventListener("change", () => look(find("choose-camera").value, find("choose-microphone").value));
    }
    addEventListener("pagehide", stop);
  }
})();
