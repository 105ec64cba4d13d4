/* The past: the timeline of a screen that shows it, and its player. The moment, the period, the speed and the loop are in the address; a
   moment is drawn by asking for the whole content of it, the next one only when that is there: so whatever the speed, each frame is
   a whole one, and all that came in between is counted in it. */
(() => {
  const MINUTE = 60_000, DAY = 86_400_000, FRAME_MS = 350, SLOW_MS = 500, OFFSET = 7 * 3_600_000, SVG = "http://www.w3.org/2000/svg";
  const state = { bar: null, at: 0, since: 0, until: 0, words: {}, line: null, playing: 0, asking: null };
  const byId = (id) => document.getElementById(id);
  const spoken = () => byId("wall")?.lang === "en" ? "en-GB" : "vi";
  const zone = { timeZone: "Asia/Ho_Chi_Minh", hourCycle: "h23" };
  const full = (ms) => { const p = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { ...zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(ms).map((one) => [one.type, one.value])); return `${p.day}/${p.month}/${p.year} ${p.hour}:${p.minute}:${p.second}`; };
  const written = (ms) => new Date(ms + OFFSET).toISOString().slice(0, 19);
  const clamp = (ms) => Math.min(state.until, Math.max(state.since, ms));
  const speed = () => Number(byId("replay-speed").value);
  const loops = () => byId("replay-loop").getAttribute("aria-pressed") === "true";
  const step = () => Math.max(MINUTE, 1000 * speed());

  function note(words) { const box = byId("replay-note"); if (box && box.textContent !== words) box.textContent = words; }

  /* -- the address ------------------------------------------------------------------------------------------------------------- */
  function keep() {
    const params = new URLSearchParams(location.search);
    params.set("moment", written(state.at));
    params.set("since", written(state.since));
    params.set("until", written(state.until));
    params.set("speed", String(speed()));
    if (loops()) params.set("loop", "1"); else params.delete("loop");
    const text = params.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
    history.replaceState(history.state, "", `${location.pathname}?${text}`);
    for (const link of document.querySelectorAll("a[href*='moment=']")) { // links lead on to the moment that is shown
      const url = new URL(link.href);
      if (url.origin !== location.origin || link.dataset.fixed) continue;
      if (link.closest("#content, #alarms")) continue; // what was drawn with the moment has it
      for (const name of ["moment", "since", "until", "speed", "loop"]) if (params.has(name)) url.searchParams.set(name, params.get(name)); else url.searchParams.delete(name);
      link.href = url.pathname + url.search;
    }
    return params;
  }

  /* -- a moment on the screen -------------------------------------------------------------------------------------------------- */
  async function show(at) {
    state.at = clamp(at);
    cursor();
    const params = keep(), mine = state.asking = {};
    let drew = false;
    const slow = setTimeout(() => { if (state.asking === mine && !state.playing) note(state.words.drawing); }, SLOW_MS);
    try {
      if (byId("opsmap")) { await window.ioc.opsmap.load(); drew = true; } else if (byId("content")) {
        params.set("path", location.pathname);
        const found = await ask(`/replay/desk?${params}`);
        if (state.asking !== mine) return false;
        window.ioc.parts.draw(byId("content"), found.children);
        drew = true;
      } else {
        for (const [id, prop, value] of await ask(`/replay/wall?${params}`)) if (state.asking === mine) window.dash_clientside.set_props(id, { [prop]: value });
        drew = true;
      }
      if (state.asking === mine && !state.playing) note("");
    } catch { if (state.asking === mine) note(state.words.frame_failed); } finally { clearTimeout(slow); }
    return drew;
  }
  async function ask(url) {
    const got = await fetch(url, { cache: "no-store" });
    if (!got.ok) throw new Error(got.statusText);
    return got.json();
  }

  /* -- playing ----------------------------------------------------------------------------------------------------------------- */
  async function play() {
    const mine = state.playing = Date.now();
    let from = 0, begun = 0, pace = 0; // the moment, the time and the speed that the course is reckoned from: drawing takes none of it
    const set = () => { from = state.at; begun = performance.now(); pace = speed(); };
    pressed(true);
    set();
    while (state.playing === mine && byId("replay") === state.bar) {
      if (state.at >= state.until) { if (!loops()) break; await show(state.since); set(); }
      if (pace !== speed()) set();
      await new Promise((done) => { setTimeout(done, FRAME_MS); });
      if (state.playing !== mine) return;
      const next = clamp(Math.max(state.at + 1000, from + pace * (performance.now() - begun)));
      came(state.at, next);
      await show(next);
    }
    if (state.playing === mine) stop();
  }
  function stop() { state.playing = 0; pressed(false); note(""); }
  function pressed(on) {
    const button = byId("replay-play");
    if (!button) return;
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-label", on ? state.words.pause : state.words.play);
    button.title = on ? state.words.pause : state.words.play;
    button.firstElementChild.textContent = on ? "⏸" : "▶";
  }
  /* What passed between two frames is told, so that nothing is dropped unseen. */
  function came(from, to) {
    const { line } = state;
    if (!line) return;
    const width = (line.until - line.since) / line.bars.length;
    const n = line.bars.reduce((sum, count, k) => sum + count * Math.max(0, Math.min(to, line.since + (k + 1) * width) - Math.max(from, line.since + k * width)) / width, 0);
    note(state.words.arrived.replace("{n}", Math.round(n).toLocaleString(spoken())));
  }
  function alarm(way) {
    const moments = (state.line?.alarms ?? []).map((one) => one[0] + 1000).sort((a, b) => a - b);
    const found = way > 0 ? moments.find((one) => one > state.at) : moments.findLast((one) => one < state.at - 999);
    if (found === undefined) note(state.words.no_alarm_next); else { stop(); show(found); }
  }

  /* -- the timeline ------------------------------------------------------------------------------------------------------------ */
  const X = (ms) => (1000 * (ms - state.since)) / (state.until - state.since);
  function shape(name, attributes, words) {
    const found = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
    if (words) { const title = document.createElementNS(SVG, "title"); title.textContent = words; found.append(title); }
    return found;
  }
  function draw() {
    const box = byId("replay-line"), { line } = state;
    if (!box) return;
    const svg = shape("svg", { viewBox: "0 0 1000 60", preserveAspectRatio: "none", "aria-hidden": "true" });
    if (line) {
      const most = Math.max(1, ...line.bars), width = 1000 / line.bars.length;
      line.bars.forEach((n, k) => { if (n) svg.append(shape("rect", { class: "bar", x: k * width, width: width * 0.9, y: 44 - 32 * Math.sqrt(n / most), height: 32 * Math.sqrt(n / most) })); });
      for (const [from, to, agency, kind] of line.outages) svg.append(shape("rect", { class: "outage", x: X(from), width: Math.max(1, X(to) - X(from)), y: 46, height: 5 }, `${state.words.silent_feeds.replace("{names}", `${agency} · ${kind}`)} ${full(from)} – ${full(to)}`));
      for (const [raised, , priority, words] of [...line.alarms].reverse()) svg.append(shape("path", { class: `call p${priority}`, d: `M${X(raised)} 2 l0 8`, "vector-effect": "non-scaling-stroke" }, `${full(raised)} · ${words}`));
    }
    for (let day = Math.ceil((state.since + OFFSET) / DAY) * DAY - OFFSET; day < state.until; day += DAY * Math.ceil((state.until - state.since) / DAY / 14)) svg.append(shape("path", { class: "day", d: `M${X(day)} 0 l0 60`, "vector-effect": "non-scaling-stroke" }));
    const days = document.createElement("div");
    days.className = "days";
    for (let day = Math.ceil((state.since + OFFSET) / DAY) * DAY - OFFSET; day < state.until; day += DAY * Math.ceil((state.until - state.since) / DAY / 14)) days.append(Object.assign(document.createElement("span"), { textContent: full(day).slice(0, 5), style: `left:${X(day) / 10}%` }));
    box.replaceChildren(svg, days, Object.assign(document.createElement("i"), { className: "cursor" }));
    cursor();
  }
  function cursor() {
    const box = byId("replay-line"), time = byId("replay-moment");
    if (!box || !time) return;
    const mark = box.querySelector(".cursor"), share = X(state.at) / 10;
    if (mark) mark.style.left = `${share}%`;
    time.textContent = full(state.at);
    box.setAttribute("aria-valuenow", String(Math.round(share)));
    box.setAttribute("aria-valuetext", full(state.at));
  }
  async function read() {
    const mine = state.bar;
    try { const line = await ask(`/replay/line?${new URLSearchParams(location.search)}`); if (mine === state.bar) { state.line = line; draw(); } } catch { note(state.words.line_failed); }
  }

  /* -- hands ------------------------------------------------------------------------------------------------------------------- */
  const pointed = (event) => { const box = byId("replay-line").getBoundingClientRect(); return state.since + (state.until - state.since) * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)); };
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest?.("#replay-line");
    if (!box || event.button) return;
    stop();
    box.setPointerCapture(event.pointerId);
    const move = (moved) => { state.at = clamp(pointed(moved)); cursor(); };
    const end = (ended) => { box.removeEventListener("pointermove", move); box.removeEventListener("pointerup", end); show(pointed(ended)); };
    box.addEventListener("pointermove", move);
    box.addEventListener("pointerup", end);
    move(event);
  });
  document.addEventListener("click", ({ target }) => {
    const id = target.closest?.("#replay button")?.id;
    if (id === "replay-play") { if (state.playing) stop(); else play(); }
    else if (id === "replay-back") { stop(); show(state.at - step()); }
    else if (id === "replay-on") { stop(); show(state.at + step()); }
    else if (id === "replay-before") alarm(-1);
    else if (id === "replay-next") alarm(1);
    else if (id === "replay-loop") { byId(id).setAttribute("aria-pressed", String(!loops())); keep(); }
  });
  document.addEventListener("change", ({ target }) => { if (target.id === "replay-speed") keep(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "replay-line") return;
    const by = { ArrowLeft: -step(), ArrowRight: step(), ArrowDown: -step(), ArrowUp: step(), PageUp: -DAY, PageDown: DAY, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    stop();
    show(clamp(state.at + by));
  });

  function open() {
    const bar = byId("replay");
    if (bar === state.bar) return;
    stop();
    Object.assign(state, { bar, line: null });
    if (!bar) return;
    const { moment, since, until, words } = bar.dataset;
    Object.assign(state, { at: Number(moment), since: Number(since), until: Number(until), words: JSON.parse(words) });
    draw();
    read();
    if (!byId("content")) show(state.at); // a wall comes without what it shows
  }
  new MutationObserver(open).observe(document, { childList: true, subtree: true });
  window.ioc = Object.assign({}, window.ioc, { replay: { moment: () => (state.bar && byId("replay") ? state.at : null), show, state } });
})();
