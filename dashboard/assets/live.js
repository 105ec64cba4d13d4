/* Is what stands here alive? The page judges by itself, so that it can say so when the server is gone. All ages are the server's own
   (its `now` minus the time of the data) plus what has passed here since by a clock that never jumps. */
(() => {
  const state = { pulse: null, heard: performance.now(), viewer: null, reloading: false };
  const QUIET_BEFORE_FALLBACK = 6000;
  const zone = { timeZone: "Asia/Ho_Chi_Minh", hourCycle: "h23" };
  const clock = new Intl.DateTimeFormat("vi", { ...zone, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const short = new Intl.DateTimeFormat("vi", { ...zone, hour: "2-digit", minute: "2-digit" });

  const say = (key, places = {}) => (state.viewer?.words[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => places[name] ?? "");
  const put = (element, text) => { if (element && element.textContent !== text) element.textContent = text; };

  function span(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000)), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
    if (minutes < 1) return say("seconds", { n: seconds });
    if (hours < 1) return say("minutes", { n: minutes });
    if (hours < 24) return minutes % 60 && hours < 10 ? say("hours_minutes", { h: hours, m: minutes % 60 }) : say("hours", { n: hours });
    return say("days", { n: Math.floor(hours / 24) });
  }

  /* The heartbeat's time; the words around it are left out where there is no room. */
  function tell(beat, at, age) {
    if (at === null) return put(beat, say("no_pulse"));
    const [before, after] = say("data_until", { time: "|" }).split("|");
    const parts = [before, clock.format(at), `${after} (${say("ago", { span: span(age) })})`];
    if (beat.children.length !== 2) beat.replaceChildren(...["around", "", "around"].map((name) => Object.assign(name ? document.createElement("span") : document.createTextNode(""), { className: name })));
    [...beat.childNodes].forEach((node, number) => { if (node.textContent !== parts[number]) node.textContent = parts[number]; });
  }

  function judge() {
    const wall = document.getElementById("wall");
    if (!wall || !state.viewer) return;
    wall.style.setProperty("--density", window.devicePixelRatio || 1);
    const silence = performance.now() - state.heard, pulse = state.pulse;
    const gone = silence > 2 * (pulse?.frame_ms ?? 4000);
    if (gone) knock();
    if (!pulse) { if (gone) banner(wall, say("no_pulse"), say("stopped_server")); return; }
    const past = window.ioc?.replay?.moment() ?? null, now = past ?? pulse.now + silence; // ages in a replay are those of its moment
    put(document.getElementById("clock"), clock.format(now));
    for (const each of document.querySelectorAll("[data-at]")) put(each, span(now - Number(each.dataset.at)));
    if (past !== null) {
      document.title = `${document.querySelector("#replay .sign")?.textContent ?? say("replaying")} ${short.format(past)} · ${state.viewer.title}`;
      banner(wall, gone ? say("replaying") : "", gone ? say("stopped_server") : "");
      return;
    }
    const age = pulse.heartbeat === null ? Infinity : now - pulse.heartbeat;
    const beat = document.getElementById("beat");
    tell(beat, pulse.heartbeat, age);
    beat.classList.toggle("late", age > pulse.stale_ms);
    document.title = (pulse.alarms ? `(${pulse.alarms}) ` : "") + state.viewer.title;
    const stopped = pulse.heartbeat === null ? say("no_pulse") : say("stopped", { time: short.format(pulse.heartbeat) });
    if (gone) banner(wall, stopped, say("stopped_server"));
    else if (pulse.problem) banner(wall, stopped, say(pulse.problem === "store_away" ? "stopped_store" : "stopped_failed"));
    else if (pulse.snapshot !== null && now - pulse.snapshot > pulse.old_ms) banner(wall, say("stopped", { time: short.format(pulse.snapshot) }), say("stopped_failed"));
    else if (age > pulse.stale_ms) banner(wall, stopped, say("stopped_path"));
    else if (pulse.incomplete) banner(wall, say(pulse.incomplete.title, { time: short.format(pulse.incomplete.since) }), pulse.incomplete.reason);
    else banner(wall, "", "");
  }

  function banner(wall, text, reason) {
    const box = document.getElementById("banner");
    wall.classList.toggle("stopped", text !== "");
    if (box.dataset.said === text + reason) return;
    box.dataset.said = text + reason;
    box.hidden = text === "";
    box.replaceChildren(text, Object.assign(document.createElement("small"), { textContent: reason }));
  }

  /* The server is silent. If it answers, this page is a leftover of its former life: open it anew, at the same address. */
  let knocking = false;
  async function knock() {
    const silence = performance.now() - state.heard;
    if (silence > QUIET_BEFORE_FALLBACK) window.dash_clientside?.set_props?.("fallback", { disabled: false });
    if (knocking || silence < 3 * (state.pulse?.frame_ms ?? 4000)) return;
    knocking = true;
    try {
      const answer = await fetch("/healthz", { cache: "no-store", signal: AbortSignal.timeout(3000) });
      if (answer.ok && performance.now() - state.heard > 3 * (state.pulse?.frame_ms ?? 4000)) location.reload();
    } catch { /* still gone */ } finally { setTimeout(() => { knocking = false; }, 2000); }
  }

  /* Dash keeps every value that was ever pushed, for an undo that no page here offers: a wall would grow by it for ever. */
  const forget = () => window.dash_stores?.forEach(store => { store.getState().history.past.length = 0; });

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live: {
      /* Time to ask whether a page's content changed: not while somebody types in it. */
      renew(turn) {
        const active = document.activeElement;
        const typing = active?.closest?.("#content") && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName);
        return typing || document.hidden ? window.dash_clientside.no_update : turn;
      },
      heard(pulse, viewer) {
        if (viewer) {
          if (!state.viewer) document.cookie = `ioc_language=${viewer.language}; path=/; max-age=31536000; samesite=strict`;
          state.viewer = viewer;
          document.documentElement.lang = viewer.language;
        }
        if (pulse) { state.pulse = pulse; state.heard = performance.now(); judge(); forget(); }
      },
    },
  });
  setInterval(judge, 250);
})();
