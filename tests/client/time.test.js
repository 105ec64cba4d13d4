import assert from "node:assert/strict";
import { test } from "node:test";

import * as time from "../../dashboard/client/player/time.js";
import { place } from "../../dashboard/client/player/timeline.js";

const HOUR = 3_600_000;
const at = (text) => Date.parse(`${text}+07:00`);
const MORNING = at("2026-11-18T10:35:00");
const DAY_RUN = { since: at("2026-11-17T00:00:00"), until: at("2026-11-19T00:00:00") };

test("moments are read and written in Viet Nam's time", () => {
  assert.equal(time.fullTime(MORNING), "18/11/2026 10:35:00");
  assert.equal(time.addressTime(MORNING + 999), "2026-11-18T10:35:00");
  assert.equal(time.nextMidnight(MORNING), at("2026-11-19T00:00:00"));
  assert.equal(time.nextMidnight(at("2026-11-19T00:00:00")), at("2026-11-20T00:00:00"));
});

test("a frame shows what is due by the speed, however long drawing took", () => {
  const run = { ...DAY_RUN, at: MORNING, from: MORNING, pace: 600 };
  assert.equal(time.nextFrame({ ...run, elapsed: 1_000 }), MORNING + 600_000);
  assert.equal(time.nextFrame({ ...run, elapsed: 0 }), MORNING + 1_000, "never stands still");
});

test("the end of a day is a frame of its own, and the period's end is the last", () => {
  const run = { ...DAY_RUN, from: MORNING, pace: 86_400, elapsed: 10_000 };
  const midnight = at("2026-11-18T00:00:00");
  assert.equal(time.nextFrame({ ...run, at: midnight - 5_000 }), midnight);
  assert.equal(time.nextFrame({ ...run, at: MORNING }), DAY_RUN.until);
});

test("what came between two frames is counted by the share of each bar", () => {
  const line = { since: 0, until: 100, bars: [10, 20], alarms: [[10], [60], [90]] };
  assert.equal(time.eventsBetween(line, 0, 100), 30);
  assert.equal(time.eventsBetween(line, 25, 75), 15);
  assert.equal(time.alarmsBetween(line, 10, 60), 1);
});

test("alarms are gone to one by one, just after they were raised", () => {
  const alarms = [[9_000], [3_000]];
  assert.equal(time.nextAlarm(alarms, 0, true), 4_000);
  assert.equal(time.nextAlarm(alarms, 4_000, true), 10_000);
  assert.equal(time.nextAlarm(alarms, 10_000, true), undefined);
  assert.equal(time.nextAlarm(alarms, 10_000, false), 4_000);
  assert.equal(time.nextAlarm(alarms, 4_000, false), undefined);
});

test("a day is marked by hours, a month by days, and no more than fit", () => {
  const day = time.periodMarks(DAY_RUN.since, DAY_RUN.since + 24 * HOUR);
  assert.equal(day.length, 12);
  assert.deepEqual(
    day.slice(0, 2).map((one) => one.words),
    ["00:00", "02:00"],
  );
  const month = time.periodMarks(DAY_RUN.since, DAY_RUN.since + 30 * time.DAY);
  assert.ok(month.length <= 14 && month.every((one) => /^\d\d\/\d\d$/.test(one.words)));
});

test("keys step by the speed, by a day, or to the ends", () => {
  assert.deepEqual(
    ["ArrowLeft", "ArrowUp", "PageDown", "Home", "x"].map((key) => time.keyStep(key, 60_000)),
    [-60_000, 60_000, time.DAY, -Infinity, undefined],
  );
  assert.equal(time.within(-Infinity, 1, 2), 1);
});

test("a moment is marked once, in the order of time", () => {
  assert.deepEqual(time.toggleMark([1, 3], 2), [1, 2, 3]);
  assert.deepEqual(time.toggleMark([1, 2, 3], 2), [1, 3]);
});

test("the timeline is a thousand wide", () => {
  assert.deepEqual(
    [0, 50, 100].map((ms) => place(ms, { since: 0, until: 100 })),
    [0, 500, 1000],
  );
});
