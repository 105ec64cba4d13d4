import assert from "node:assert/strict";
import { test } from "node:test";

import * as geometry from "../../dashboard/client/map/geometry.js";

test("reports are decoded from differences", () => {
  const { features } = geometry.decodeDots([164_000, 1_076_000, -100, 50]);
  assert.deepEqual(
    features.map((one) => one.geometry.coordinates),
    [
      [107.6, 16.4],
      [107.605, 16.39],
    ],
  );
  assert.deepEqual(geometry.decodeDots(undefined).features, []);
});

test("names move aside for each other and stay within the frame", () => {
  const frame = [0, 0, 400, 400];
  const name = { x: 200, y: 200, width: 80, height: 20 };
  const taken = [];
  for (let n = 0; n < 2; n += 1) {
    const { box } = geometry.placeLabel(name, frame, taken);
    assert.ok(!taken.some((other) => geometry.overlap(box, other)));
    taken.push(box);
  }
  assert.deepEqual(geometry.placeLabel(name, frame, []).spot, [0, -19], "the gravest above");
  assert.equal(geometry.placeLabel({ ...name, width: 500 }, frame, []), null);
});

test("the tiles around what is seen hold small moves and no large ones", () => {
  const held = geometry.tilesAround({ x: 1000, y: 1000 }, { x: 1900, y: 1500 });
  assert.deepEqual(
    [held.from, held.to],
    [
      { x: 2, y: 2 },
      { x: 9, y: 7 },
    ],
  );
  assert.deepEqual(held.pixels(held.from), [512, 512]);
  assert.ok(geometry.holds(held, geometry.tilesAround({ x: 800, y: 1000 }, { x: 1700, y: 1500 })));
  assert.ok(!geometry.holds(held, geometry.tilesAround({ x: 400, y: 1000 }, { x: 1300, y: 1500 })));
});

test("the topmost mark at a point is found, then the nearest", () => {
  const marks = [
    { x: 0, y: 0, r: 20 },
    { x: 0, y: 0, r: 5 },
    { x: 40, y: 0, r: 5 },
  ];
  assert.equal(geometry.markAt(marks, { x: 1, y: 0 }), marks[1]);
  assert.equal(geometry.markAt(marks, { x: 32, y: 0 }), marks[2]);
  assert.equal(geometry.markAt(marks, { x: 0, y: 60 }), null);
  assert.equal(geometry.markAt(undefined, { x: 0, y: 0 }), null);
  assert.equal(geometry.marksAt(marks, { x: 1, y: 0 }).length, 2);
});

test("an alarm stands where it hides no number", () => {
  assert.deepEqual(geometry.placeBeside({ x: 10, y: 10 }, []), { x: 10, y: 10 });
  const number = { kind: "overdue", x: 10, y: 10, r: 10 };
  assert.deepEqual(geometry.placeBeside({ x: 10, y: 10 }, [number]), { x: 10, y: -10 });
  const flow = { ...number, kind: "flow" };
  assert.deepEqual(geometry.placeBeside({ x: 10, y: 10 }, [flow]), { x: 10, y: 10 });
});

test("discs that would lie over each other become one, and no report is lost", () => {
  const project = ([lat, lon]) => ({ x: lon, y: lat });
  const cells = [
    [0, 0, 50, 5, 0, 0, 1, 1],
    [0, 30, 10, 1, -1, 29, 0, 31],
    [0, 500, 4, 0],
  ];
  const found = geometry.mergeCells(cells, project);
  assert.deepEqual(
    found.map((one) => [one.n, one.overdue]),
    [
      [60, 6],
      [4, 0],
    ],
  );
  assert.deepEqual(found[0].box, [-1, 0, 1, 31]);
  assert.equal(found[1].box, null);
  assert.deepEqual(found[0].at, [0, 0], "where the larger lies");
});

test("a box around reports holds them after rounding", () => {
  const box = geometry.boxAround([
    [16.4, 107.5, 16.4, 107.5],
    [16.5, 107.6, 16.5, 107.6],
  ]);
  assert.equal(box, "107.49998,16.39998,107.60002,16.50002");
});

test("a click chooses one commune, with a key one more or one less", () => {
  const after = geometry.chosenAfter;
  assert.deepEqual(after([], "a", false), ["a"]);
  assert.deepEqual(after(["a"], "a", false), []);
  assert.deepEqual(after(["a", "b"], "a", false), ["a"]);
  assert.deepEqual(after(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(after(["a", "b"], "a", true), ["b"]);
});

test("the ramp of heat goes from the first colour to the last", () => {
  const ramp = geometry.colourRamp(["#000000", "#ff0000", "#ffffff"]);
  assert.equal(ramp.length, 256);
  assert.deepEqual(ramp[0], [0, 0, 0]);
  assert.deepEqual(ramp[255], [255, 255, 255]);
  assert.ok(ramp.every(([red], k) => k === 0 || red >= ramp[k - 1][0]));
});
