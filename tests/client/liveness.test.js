import assert from "node:assert/strict";
import { test } from "node:test";

import { sign } from "../../dashboard/client/shell/favicon.js";
import { verdict } from "../../dashboard/client/shell/liveness.js";

const NOW = 1_000_000;
const PULSE = {
  heartbeat: NOW - 1_000,
  snapshot: NOW - 2_000,
  stale_ms: 15_000,
  old_ms: 30_000,
  problem: "",
  incomplete: null,
  alarms: 0,
  gravest: null,
};
const said = (changes, gone = false) => verdict({ ...PULSE, ...changes }, NOW, gone);

test("a page that hears of young data says nothing", () => {
  assert.equal(said({}), null);
});

test("a silent server is said before anything else", () => {
  const found = said({ problem: "store_away" }, true);
  assert.deepEqual([found.words, found.reason], ["stopped", "stopped_server"]);
});

test("each trouble has its reason", () => {
  assert.equal(said({ problem: "store_away" }).reason, "stopped_store");
  assert.equal(said({ problem: "failed" }).reason, "stopped_failed");
  assert.equal(said({ heartbeat: NOW - 15_001 }).reason, "stopped_path");
  const old = said({ snapshot: NOW - 30_001 });
  assert.deepEqual([old.reason, old.time], ["stopped_failed", NOW - 30_001]);
});

test("without any heartbeat there is no time to tell", () => {
  assert.deepEqual(said({ heartbeat: null }), {
    words: "no_pulse",
    time: null,
    reason: "stopped_path",
    given: false,
  });
});

test("incomplete data is said in the server's words", () => {
  const incomplete = { title: "incomplete", since: 5, reason: "partition 3 stands" };
  const found = said({ incomplete });
  assert.deepEqual(found, { words: "incomplete", time: 5, reason: incomplete.reason, given: true });
});

test("the sign of the tab tells how many alarms are open and the gravest", () => {
  assert.equal(sign({ ...PULSE, alarms: 12, gravest: 2 })[1], "2:12");
  assert.match(sign({ ...PULSE, alarms: 120, gravest: 1 })[0], />99</);
  assert.equal(sign(PULSE)[1], "");
  for (const changes of [{ problem: "failed" }, { heartbeat: null }, { incomplete: {} }]) {
    assert.equal(sign({ ...PULSE, ...changes })[1], "?");
  }
});
