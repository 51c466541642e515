// The courses of scores through a client's sessions: which are off track, in which order, and what is missing.

import assert from "node:assert/strict";
import { test } from "node:test";

import { chartOf } from "../../../provisioning/reader/src/measures/chart.js";
import { coursesOf } from "../../../provisioning/reader/src/measures/courses.js";
import { parseLabel, parseMeasure } from "../../../provisioning/reader/src/beside/documents.js";
import { knownOf, trackOf } from "../../../provisioning/reader/src/measures/track.js";
import { ShapeError } from "../../../provisioning/reader/src/shape.js";

const DIGEST = "0123456789abcdef".repeat(4);
const MARK = "0123456789ab";

function measured(value, { id = "phq-9", score = "total", most = 27, person = 1, digest = DIGEST, at = "2026-03-02T09:00:00.000Z" } = {}) {
  return {
    kind: "sotto-measure",
    format: 1,
    measure: { id, version: "1", language: "en", title: id.toUpperCase(), digest },
    moment: "before",
    by: MARK,
    person,
    started: at,
    finished: at,
    clock_trusted: true,
    answers: [{ item: "1", text: "How was it?", value: 2, words: "Bad", least: 0, most: 3 }],
    scores: [{ id: score, name: "Total", value, least: 0, most, band: value === null ? null : "some", missing: value === null ? 1 : 0 }],
  };
}

function label(client, session = null) {
  return {
    kind: "sotto-label",
    format: 1,
    at: "2026-03-02T09:00:00.000Z",
    clock_trusted: true,
    by: MARK,
    client,
    session,
    study: null,
    arm: null,
  };
}

function sessionOf(client, number, measures, { unopened = 0, box = "room 3", started = null, session = null } = {}) {
  const recording = `${String(number).padStart(6, "0")}-abcdefghij`;
  const at = started ?? `2026-03-${String(number).padStart(2, "0")}T09:00:00.000Z`;
  return { recording, box, started: at, label: client === null ? null : label(client, session), measures, unopened };
}

const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
const phq = (values, options) => values.map((value, n) => sessionOf("K-1", n + 1, [measured(value, options)]));
const only = (sessions) => coursesOf(sessions).clients[0];

test("a depression that rose by a reliable change is off track, and one point less is not", () => {
  assert.deepEqual(pick(only(phq([10, 16])).series[0]), { track: "off", why: "worse" });
  assert.deepEqual(pick(only(phq([10, 15])).series[0]), { track: "on", why: "even" });
});

test("what fell by a reliable change is on track, however late", () => {
  assert.deepEqual(pick(only(phq([16, 15, 15, 15, 15, 15, 15, 15, 10])).series[0]), { track: "on", why: "better" });
});

test("an outcome that has not moved by the eighth session is off track; in the seventh it is not yet", () => {
  assert.equal(only(phq([12, 12, 11, 12, 12, 11, 12])).track, "on");
  assert.deepEqual(pick(only(phq([12, 12, 11, 12, 12, 11, 12, 9])).series[0]), { track: "off", why: "still" });
});

test("the label says which session it is, where fewer are known here than there were", () => {
  const sessions = phq([12, 11]);
  sessions[1].label = label("K-1", 9);
  assert.deepEqual(pick(only(sessions).series[0]), { track: "off", why: "still" });
});

test("who began so well that no reliable change is left is never called unchanged", () => {
  assert.equal(only(phq([4, 4, 4, 4, 4, 4, 4, 4])).track, "on");
});

test("on a form where more is better a fall is off track, by an eighth of its range as it is not tested", () => {
  const four = { id: "outcome-4", score: "mean", most: 100 };
  assert.equal(only(phq([60, 47.5], four)).track, "off");
  assert.equal(only(phq([60, 47.6], four)).track, "on");
  assert.equal(knownOf("outcome-4", "mean", 100).tested, false);
  assert.equal(knownOf("phq-9", "total", 27).tested, true);
});

test("an alliance that stays as it is, is no fault", () => {
  const alliance = { id: "alliance-4", score: "mean", most: 100 };
  assert.equal(only(phq([50, 50, 50, 50, 50, 50, 50, 50, 50], alliance)).track, "on");
});

test("of a clinic's own form nobody knows which way is better, and nothing is claimed", () => {
  assert.deepEqual(pick(only(phq([1, 27], { id: "constructor" })).series[0]), { track: "unsure", why: "direction" });
  assert.deepEqual(trackOf([5], { known: knownOf("phq-9", "total", 27), session: 1, least: 0, most: 27 }), { track: "unsure", why: "one" });
});

test("client codes that are off track come first, then those nobody can judge, each by code", () => {
  const sessions = [
    sessionOf("A", 1, [measured(20)]),
    sessionOf("A", 2, [measured(3)]),
    sessionOf("D", 3, [measured(3)]),
    sessionOf("D", 4, [measured(20)]),
    sessionOf("C", 5, [measured(3)]),
    sessionOf("C", 6, [measured(9)]),
    sessionOf("B", 7, []),
  ];
  assert.deepEqual(
    coursesOf(sessions).clients.map(({ client, track }) => [client, track]),
    [
      ["C", "off"],
      ["D", "off"],
      ["B", "unsure"],
      ["A", "on"],
    ],
  );
});

test("within a client code the course that is off track comes first", () => {
  const sessions = [1, 2].map((n) => sessionOf("A", n, [measured(n === 1 ? 20 : 3), measured(n === 1 ? 3 : 9, { id: "gad-7", most: 21 })]));
  assert.deepEqual(
    only(sessions).series.map(({ measure, track }) => [measure.id, track]),
    [
      ["gad-7", "off"],
      ["phq-9", "on"],
    ],
  );
});

test("people in one room, and forms that differ in a word, have courses of their own", () => {
  const other = "f".repeat(64);
  const sessions = [sessionOf("A", 1, [measured(5), measured(9, { person: 2 })]), sessionOf("A", 2, [measured(20, { digest: other })])];
  const series = only(sessions).series;
  assert.equal(series.length, 3);
  assert.ok(series.every(({ why }) => why === "one"));
});

test("one box's own count orders its sessions even with a wrong clock; two boxes have only their clocks", () => {
  const wrong = sessionOf("A", 2, [measured(20)], { started: "1970-01-01T00:00:00.000Z" });
  const right = sessionOf("A", 1, [measured(3)], { started: "2026-03-01T00:00:00.000Z" });
  assert.deepEqual(
    only([wrong, right]).sessions.map(({ recording }) => recording.slice(0, 6)),
    ["000001", "000002"],
  );
  const early = sessionOf("A", 900, [], { box: "room 4", started: "2026-01-01T00:00:00.000Z" });
  assert.deepEqual(
    only([right, early]).sessions.map(({ box }) => box),
    ["room 4", "room 3"],
  );
});

test("a session without measures is marked, one whose measures this person cannot open is not called without", () => {
  const sessions = [
    sessionOf("A", 1, [measured(5)]),
    sessionOf("A", 2, []),
    sessionOf("A", 3, [], { unopened: 1 }),
    sessionOf("A", 4, [measured(null)]),
  ];
  const client = only(sessions);
  assert.equal(client.without, 1);
  const { missing, points, line } = chartOf(client.series[0], client.sessions);
  assert.deepEqual(
    missing.map(({ place, unscored, unopened }) => [place, unscored, unopened]),
    [
      [1, false, false],
      [2, false, true],
      [3, true, false],
    ],
  );
  assert.equal(points.length, 2);
  assert.equal(line.length, 1, "what was not scored is no point of the line");
});

test("a recording without a label belongs to nobody's course", () => {
  const { clients, unlabelled } = coursesOf([sessionOf(null, 1, [measured(5)])]);
  assert.deepEqual([clients.length, unlabelled.length], [0, 1]);
});

test("every point of a chart lies within it, in the order of the sessions, higher scores higher", () => {
  for (const count of [1, 2, 13, 200]) {
    const client = only(Array.from({ length: count }, (_, n) => sessionOf("A", n + 1, [measured(n % 28)])));
    const { plot, points, ticks, change } = chartOf(client.series[0], client.sessions, 320);
    assert.ok(points.every(({ x, y }) => x > plot.left && x < plot.right && y >= plot.top && y <= plot.bottom));
    assert.ok(points.every(({ x }, n) => n === 0 || x > points[n - 1].x));
    if (count > 1) assert.ok(points[1].y < points[0].y);
    assert.ok(
      points.every(({ x }, n) => n === 0 || x - points[n - 1].x >= 24),
      "a finger wide",
    );
    assert.ok(
      ticks.every(({ x }, n) => n === 0 || x - ticks[n - 1].x >= 30),
      "no number over another",
    );
    assert.equal(ticks.at(-1).place, count - 1, "the last session always has its number");
    assert.ok(change.top >= plot.top && change.bottom <= plot.bottom);
  }
});

test("what a box sealed is taken, with the spaces behind it", () => {
  const sealed = new Uint8Array([...bytes(measured(5)), ...new Array(300).fill(32)]);
  assert.equal(parseMeasure(sealed).scores[0].value, 5);
  assert.equal(parseLabel(bytes(label("K-17", 4))).client, "K-17");
});

test("what anybody else put there is refused before anything of it is used", () => {
  const altered = (change) => bytes(Object.assign(measured(5), change));
  const wrong = [
    altered({ kind: "sotto-label" }),
    altered({ format: 2 }),
    altered({ person: 0 }),
    altered({ more: 1 }),
    altered({ by: "Ada" }),
    altered({ scores: [{ ...measured(5).scores[0], value: 28 }] }),
    altered({ scores: [{ ...measured(5).scores[0], value: "5" }] }),
    altered({ scores: Array(21).fill(measured(5).scores[0]) }),
    bytes([]),
    bytes(null),
    Uint8Array.of(0xff),
    new Uint8Array(70_000).fill(32),
  ];
  for (const document of wrong) assert.throws(() => parseMeasure(document), ShapeError);
  assert.throws(() => parseLabel(bytes({ ...label("K"), client: "two\nlines" })), ShapeError);
  assert.throws(() => parseLabel(bytes({ ...label("K"), client: "x".repeat(61) })), ShapeError);
});

function pick({ track, why }) {
  return { track, why };
}
