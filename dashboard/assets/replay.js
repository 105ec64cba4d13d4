/* The past: the timeline of a screen that shows it, and its player. The moment, the period, the speed and the loop are in the address; a
   moment is drawn by asking for the whole content of it, the next one only when that is there: so whatever the speed, each frame is
   a whole one, and all that came in between is counted in it. */
(() => {
  const MINUTE = 60_000, DAY = 86_400_000, MARKS = 14, FRAME_MS = 350, FOLLOW_MS = 2000, RESTS = 5, SLOW_MS = 500, OFFSET = 7 * 3_600_000, SVG = "http://www.w3.org/2000/svg";
  const state = { bar: null, at: 0, since: 0, until: 0, words: {}, line: null, playing: 0, asking: null, marked: [] };
  const byId = (id) => document.getElementById(id);
  const spoken = () => byId("wall")?.lang === "en" ? "en-GB" : "vi";
  const zone = { timeZone: "Asia/Ho_Chi_Minh", hourCycle: "h23" };
  const full = (ms) => { const p = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { ...zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).formatToParts(ms).map((one) => [one.type, one.value])); return `${p.day}/${p.month}/${p.year} ${p.hour}:${p.minute}:${p.second}`; };
  const written = (ms) => new Date(ms + OFFSET).toISOString().slice(0, 19);
  const clamp = (ms) => Math.min(state.until, Math.max(state.since, ms));
  const speed = () => Number(byId("replay-speed")?.value ?? 600);
  const loops = () => byId("replay-loop").getAttribute("aria-pressed") === "true";
  const follows = () => "follows" in state.bar.dataset; // a run that goes on, as far as it has come
  const chooses = () => "choosing" in state.bar.dataset; // no moment is shown yet: one is looked for
  const step = () => Math.max(MINUTE, 1000 * speed());
  const midnight = (ms) => DAY * (Math.floor((ms + OFFSET) / DAY) + 1) - OFFSET; // the next one

  function note(words) { const box = byId("replay-note"); if (box && box.textContent !== words) box.textContent = words; }

  /* -- the address ------------------------------------------------------------------------------------------------------------- */
  function keep() {
    const own = { moment: follows() ? "" : written(state.at), since: written(state.since), until: written(state.until), speed: String(speed()), loop: loops() ? "1" : "", marked: state.marked.map(written).join(",") };
    const into = (params) => { for (const [name, value] of Object.entries(own)) if (value) params.set(name, value); else params.delete(name); return params; };
    const params = into(new URLSearchParams(location.search));
    const text = params.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
    history.replaceState(history.state, "", `${location.pathname}?${text}`);
    for (const link of document.querySelectorAll("a[href*='moment='], a[href*='run=']")) { // links lead on to the moment that is shown
      const url = new URL(link.href);
      if (url.origin !== location.origin || link.dataset.fixed) continue;
      if (link.closest("#content, #alarms")) continue; // what was drawn with the moment has it
      into(url.searchParams);
      link.href = url.pathname + url.search;
    }
    return params;
  }

  /* The parameters of the page, with the period that the timeline shows: before a moment is chosen the address does not hold it. */
  function lined() {
    const params = new URLSearchParams(location.search);
    for (const name of ["since", "until"]) params.set(name, written(state[name]));
    return params;
  }

  /* The address of the moment that is looked for. */
  function there() {
    const params = lined();
    params.set("moment", written(state.at));
    return `${location.pathname}?${params}`;
  }

  /* -- a moment on the screen -------------------------------------------------------------------------------------------------- */
  async function show(at) {
    state.at = clamp(at);
    cursor();
    if (chooses()) { location.assign(there()); return true; }
    const params = keep(), mine = state.asking = {};
    if (follows()) params.set("moment", written(state.at));
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
    delete state.bar.dataset.follows;
    let from = 0, begun = 0, pace = 0; // the moment, the time and the speed that the course is reckoned from: drawing takes none of it
    const set = () => { from = state.at; begun = performance.now(); pace = speed(); };
    pressed(true);
    set();
    while (state.playing === mine && byId("replay") === state.bar) {
      if (state.at >= state.until) { if (!loops()) break; await show(state.since); set(); }
      if (pace !== speed()) set();
      await new Promise((done) => { setTimeout(done, FRAME_MS); });
      if (state.playing !== mine) return;
      const due = Math.max(state.at + 1000, from + pace * (performance.now() - begun));
      const next = clamp(Math.min(due, midnight(state.at))); // the end of a day is a frame of its own, however fast
      came(state.at, next);
      await show(next);
    }
    if (state.playing === mine) stop();
  }
  function stop() { if (!byId("replay-play")) return; delete state.bar.dataset.follows; state.playing = 0; pressed(false); note(""); }
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
    const raised = line.alarms.filter((one) => one[0] > from && one[0] <= to).length, told = (words, many) => words.replace("{n}", Math.round(many).toLocaleString(spoken()));
    note([told(state.words[`came_${line.picture}`], n), ...(raised ? [told(state.words.came_alarms, raised)] : [])].join(" · "));
  }
  function alarm(way) {
    const moments = (state.line?.alarms ?? []).map((one) => one[0] + 1000).sort((a, b) => a - b);
    const found = way > 0 ? moments.find((one) => one > state.at) : moments.findLast((one) => one < state.at - 999);
    const cut = state.line?.alarms_from;
    if (cut && (way > 0 ? state.at < cut : found === undefined)) note(state.words.alarms_cut.replace("{since}", full(cut)));
    else if (found === undefined) note(state.words.no_alarm_next); else { stop(); show(found); }
  }

  /* A moment is marked, or no longer: its screens are pictured in the package of the period. */
  function mark() {
    const at = 1000 * Math.floor(state.at / 1000), { marked } = state, most = state.bar.dataset.mostMarked;
    if (!marked.includes(at) && marked.length >= Number(most)) { note(state.words.marks_full.replace("{n}", most)); return; }
    state.marked = marked.includes(at) ? marked.filter((one) => one !== at) : [...marked, at].sort((a, b) => a - b);
    draw();
    show(at); // what leads to the package holds the marks
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
      if (line.whole_from > state.since) svg.append(shape("rect", { class: "gone", x: 0, y: 0, width: X(Math.min(line.whole_from, state.until)), height: 60 }, state.words.only_counts.replace("{since}", full(line.whole_from))));
      const most = Math.max(1, ...line.bars), each = (line.until - line.since) / line.bars.length, width = X(state.since + each);
      line.bars.forEach((n, k) => { if (n) svg.append(shape("rect", { class: "bar", x: X(line.since + k * each), width: width * 0.9, y: 44 - 32 * Math.sqrt(n / most), height: 32 * Math.sqrt(n / most) })); });
      for (const [from, to, agency, kind] of line.outages) svg.append(shape("rect", { class: "outage", x: X(from), width: Math.max(1, X(to) - X(from)), y: 46, height: 5 }, `${state.words.silent_feeds.replace("{names}", `${agency} · ${kind}`)} ${full(from)} – ${full(to)}`));
      for (const [raised, , priority, words] of [...line.alarms].reverse()) svg.append(shape("path", { class: `call p${priority}`, d: `M${X(raised)} 2 l0 8`, "vector-effect": "non-scaling-stroke" }, `${full(raised)} · ${words}`));
    }
    for (const one of state.marked) svg.append(shape("path", { class: "mark", d: `M${X(one)} 0 l0 44`, "vector-effect": "non-scaling-stroke" }, `${state.words.marked_moment}: ${full(one)}`));
    const days = document.createElement("div");
    days.className = "days";
    const unit = state.until - state.since > 2 * DAY ? DAY : DAY / 24, every = unit * Math.ceil((state.until - state.since) / unit / MARKS);
    for (let mark = Math.ceil((state.since + OFFSET) / every) * every - OFFSET; mark < state.until; mark += every) {
      svg.append(shape("path", { class: "day", d: `M${X(mark)} 0 l0 60`, "vector-effect": "non-scaling-stroke" }));
      days.append(Object.assign(document.createElement("span"), { textContent: unit === DAY ? full(mark).slice(0, 5) : full(mark).slice(11, 16), style: `left:${X(mark) / 10}%` }));
    }
    box.replaceChildren(svg, days, Object.assign(document.createElement("i"), { className: "cursor" }));
    cursor();
  }
  function cursor() {
    const box = byId("replay-line"), time = byId("replay-moment");
    if (!box || !time) return;
    const mark = box.querySelector(".cursor"), share = X(state.at) / 10;
    if (mark) mark.style.left = `${share}%`;
    time.textContent = full(state.at);
    byId("replay-mark")?.setAttribute("aria-pressed", String(state.marked.includes(state.at)));
    box.setAttribute("aria-valuenow", String(Math.round(share)));
    box.setAttribute("aria-valuetext", full(state.at));
  }
  async function read() {
    const mine = state.bar;
    try { const line = await ask(`/replay/line?${lined()}`); if (mine === state.bar) { state.line = line; draw(); } } catch { note(state.words.line_failed); }
  }

  /* -- hands ------------------------------------------------------------------------------------------------------------------- */
  /* Another period of the timeline: around the moment, which stays where it can. */
  function choose(since, until) {
    stop();
    Object.assign(state, { since: Math.floor(since / 1000) * 1000, until: Math.floor(until / 1000) * 1000, line: null });
    draw();
    if (!chooses()) { if (clamp(state.at) !== state.at) show(state.at); else { cursor(); keep(); } }
    read();
  }
  const period = () => Number(byId("replay-period").value);
  const pointed = (event) => { const box = byId("replay-line").getBoundingClientRect(); return state.since + (state.until - state.since) * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)); };
  document.addEventListener("pointerdown", (event) => {
    const box = event.target.closest?.("#replay-line");
    if (!box || event.button) return;
    stop();
    box.setPointerCapture(event.pointerId);
    const from = pointed(event), spans = event.shiftKey; // with Shift a period is drawn, not a moment
    const band = spans && box.appendChild(Object.assign(document.createElement("i"), { className: "band" }));
    const move = (moved) => {
      const at = pointed(moved);
      if (!spans) { state.at = clamp(at); cursor(); } else Object.assign(band.style, { left: `${X(Math.min(from, at)) / 10}%`, width: `${Math.abs(X(at) - X(from)) / 10}%` });
    };
    const end = (ended) => {
      box.removeEventListener("pointermove", move);
      box.removeEventListener("pointerup", end);
      const at = pointed(ended);
      if (!spans) return show(at);
      band.remove();
      return Math.abs(at - from) < MINUTE ? null : choose(Math.min(from, at), Math.max(from, at));
    };
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
    else if (id === "replay-mark") { stop(); mark(); }
    else if (id === "replay-loop") { byId(id).setAttribute("aria-pressed", String(!loops())); keep(); }
  });
  document.addEventListener("change", ({ target }) => {
    if (target.id === "replay-speed") keep();
    else if (target.id === "replay-period" && period()) {
      const until = Math.min(Date.now(), state.at + period() / 7);
      choose(until - period(), until);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "replay-line") return;
    const by = { ArrowLeft: -step(), ArrowRight: step(), ArrowDown: -step(), ArrowUp: step(), PageUp: -DAY, PageDown: DAY, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Enter" && chooses()) show(state.at);
    const [since, until] = { "[": [state.at, state.until], "]": [state.since, state.at] }[event.key] ?? [0, 0];
    if (until - since >= MINUTE) choose(since, until);
    if (by === undefined) return;
    event.preventDefault();
    stop();
    if (chooses()) { state.at = clamp(state.at + by); cursor(); } else show(clamp(state.at + by));
  });

  /* A run that goes on is followed until somebody takes it in hand. */
  setInterval(async () => {
    const { bar, asking } = state;
    if (!bar || !byId("replay") || !follows() || state.drawing) return;
    try {
      const run = await ask(`/replay/run?${new URLSearchParams(location.search)}`);
      if (state.bar !== bar || state.asking !== asking || !follows()) return;
      if (!run.goes_on) delete bar.dataset.follows;
      if (run.moment > state.at) { state.drawing = true; state.until = Math.max(state.until, run.moment); await show(run.moment); }
    } catch { /* it is asked again */ } finally { state.drawing = false; }
  }, FOLLOW_MS);

  /* The runs of the stream: often while one goes on, else now and then, as one may be begun elsewhere. */
  let ticks = 0;
  setInterval(async () => {
    const place = byId("runs-standing");
    if (!place || document.hidden || (!("goesOn" in place.dataset) && ++ticks % RESTS)) return;
    try { const found = await ask(`/replay/runs?${new URLSearchParams(location.search)}`); if (place.isConnected) window.ioc.parts.draw(place.parentElement, found.children); } catch { /* it is asked again */ }
  }, FOLLOW_MS);

  function open() {
    const bar = byId("replay");
    if (bar === state.bar) return;
    state.playing = 0;
    Object.assign(state, { bar, line: null });
    if (!bar) return;
    const { moment, since, until, words, marked } = bar.dataset;
    state.drawing = false;
    Object.assign(state, { at: Number(moment), since: Number(since), until: Number(until), words: JSON.parse(words), marked: JSON.parse(marked) });
    draw();
    read();
    if (!byId("content") && !chooses()) show(state.at); // a wall comes without what it shows
  }
  new MutationObserver(open).observe(document, { childList: true, subtree: true });
  window.ioc = Object.assign({}, window.ioc, { replay: { moment: () => (state.bar && byId("replay") && !chooses() ? state.at : null), show, state } });
})();
