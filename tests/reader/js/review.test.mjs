// What is written while a recording plays, and the review that it becomes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseReview, reviewBytes } from "../../../provisioning/reader/src/review/document.js";
import { EMPTY, begun, changed, dropped, isEmpty, reviewOf, toggled } from "../../../provisioning/reader/src/review/draft.js";
import { ShapeError } from "../../../provisioning/reader/src/shape.js";

const WHO = { recording: "000007-abcdefghij", by: "0123456789ab", at: "2026-03-02T10:00:00.000Z", rubric: null };
const RUBRIC = {
  id: "adherence",
  title: "Adherence",
  items: [
    { id: "agenda", text: "An agenda is set", least: 0, most: 6 },
    { id: "pace", text: "Pace", least: 0, most: 6 },
  ],
};

function written(...notes) {
  return notes.reduce((draft, [atUs, text]) => {
    const next = begun(draft, atUs);
    return changed(next.draft, next.number, { text });
  }, EMPTY);
}

test("a note stands at the moment its key was pressed, and notes are told in the order of their moments", () => {
  const draft = written([61_000_000.4, "later"], [5_000_000, "earlier"], [null, "of all of it"]);
  const { notes } = reviewOf(draft, WHO);
  assert.deepEqual(
    notes.map(({ at_us, text }) => [at_us, text]),
    [
      [null, "of all of it"],
      [5_000_000, "earlier"],
      [61_000_000, "later"],
    ],
  );
});

test("a note that nothing was written into is never saved, and one with nothing but tags says them", () => {
  let { draft, number } = begun(EMPTY, 1_000_000);
  assert.equal(isEmpty(draft), true);
  draft = toggled(toggled(draft, number, "Rupture"), number, "Silence");
  assert.equal(isEmpty(draft), false);
  assert.deepEqual(reviewOf(draft, WHO).notes[0], {
    at_us: 1_000_000,
    until_us: null,
    text: "Rupture, Silence",
    tags: ["Rupture", "Silence"],
  });
  draft = toggled(draft, number, "Rupture");
  assert.deepEqual(reviewOf(draft, WHO).notes[0].tags, ["Silence"]);
  assert.equal(dropped(draft, number).notes.length, 0);
});

test("an end before its beginning is no end", () => {
  const { draft, number } = begun(EMPTY, 5_000_000);
  assert.equal(changed(draft, number, { until_us: 4_000_000 }).notes[0].until_us, null);
  assert.equal(changed(draft, number, { until_us: 9_000_000 }).notes[0].until_us, 9_000_000);
  const moved = changed(changed(draft, number, { until_us: 9_000_000 }), number, { at_us: 10_000_000 });
  assert.equal(moved.notes[0].until_us, null);
});

test("no change touches what was there before it", () => {
  const first = written([1_000_000, "one"]);
  const before = structuredClone(first);
  changed(first, 1, { text: "other" });
  begun(first, 0);
  toggled(first, 1, "Silence");
  assert.deepEqual(first, before);
});

test("a growth edge, a plan with its day, and ratings are in it; what was not rated is null", () => {
  const draft = { ...EMPTY, growth_edge: " waiting ", plan: "ten breaths", next_date: "2026-03-16", ratings: { agenda: 4, gone: 1 } };
  const review = reviewOf(draft, { ...WHO, rubric: RUBRIC });
  assert.deepEqual(review.plan, { text: "ten breaths", next_date: "2026-03-16" });
  assert.equal(review.growth_edge, "waiting");
  assert.deepEqual(review.ratings, { rubric: "adherence", items: { agenda: 4, pace: null } });
  assert.deepEqual(parseReview(reviewBytes(review)), { sotto_review: 1, ...review });
});

test("the size of what is sealed hardly tells how much was written", () => {
  const sizes = ["a", "a".repeat(1000)].map((text) => reviewBytes(reviewOf(written([0, text]), WHO)).length);
  assert.deepEqual(sizes, [4096, 4096]);
});

test("letters of every script, and line breaks, are kept as they were written", () => {
  const text = "Zeile 1\n\tمی‌روم 👩‍👧 नमस्ते";
  assert.equal(parseReview(reviewBytes(reviewOf(written([0, text]), WHO))).notes[0].text, text);
});

test("what is no review is refused", () => {
  const good = reviewOf(written([1, "one"]), WHO);
  const wrong = [
    { ...good, notes: [] },
    { ...good, by: "Ada" },
    { ...good, recording: "../../etc" },
    { ...good, more: 1 },
    { ...good, at: "today" },
    { ...good, notes: [{ ...good.notes[0], at_us: -1 }] },
    { ...good, notes: [{ ...good.notes[0], until_us: 0 }] },
    { ...good, notes: [{ ...good.notes[0], at_us: null, until_us: 5 }] },
    { ...good, notes: [{ ...good.notes[0], text: " \n" }] },
    { ...good, notes: [{ ...good.notes[0], text: "a\u0007" }] },
    { ...good, notes: [{ ...good.notes[0], tags: [" x"] }] },
    { ...good, plan: { text: "x", next_date: "2026-02-30" } },
    { ...good, notes: [{ ...good.notes[0], text: "x".repeat(4001) }] },
  ];
  for (const review of wrong) {
    assert.throws(() => reviewBytes(review), ShapeError);
    assert.throws(() => parseReview(new TextEncoder().encode(JSON.stringify({ sotto_review: 1, ...review }))), ShapeError);
  }
});
