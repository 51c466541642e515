// A review: what a supervisor or therapist says of a recording. The same JSON as provisioning/review.py has, which reads
// what is written here, and the other way round (docs/review.md).

import { list, maybe, object, parsed, is, record, ShapeError, text, whole } from "../shape.js";

export const MOST_DOCUMENT_BYTES = 64 * 1024;
export const MOST_SEALED_BYTES = 96 * 1024; // what a box takes
export const MOST_TEXT_LETTERS = 4000;
export const MOST_NOTES = 500;
export const MOST_TAGS = 20;

const STEP_BYTES = 4096; // so that the size of the sealed file hardly tells how much was written
const MOST_US = 1_000_000_000_000;
const CONTROL = "\\p{Cc}\\p{Cs}";
const WRITTEN = new RegExp(`^(?=[\\s\\S]*\\S)(?:[^${CONTROL}]|[\\n\\t])*$`, "u");
const ONE_LINE = new RegExp(`^(?!\\s)[^${CONTROL}]*(?<!\\s)$`, "u");
const SHORT_NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

const words = text({ least: 1, most: MOST_TEXT_LETTERS, pattern: WRITTEN });
const tag = text({ least: 1, most: 60, pattern: ONE_LINE });
const microseconds = whole({ least: 0, most: MOST_US });
const shortName = text({ most: 40, pattern: SHORT_NAME });

const NOTE = object(
  { at_us: maybe(microseconds), until_us: maybe(microseconds), text: words, tags: list(tag, { most: MOST_TAGS }) },
  { until_us: null, tags: [] },
);

const REVIEW = object(
  {
    sotto_review: is(1),
    recording: text({ most: 17, pattern: /^[0-9]{6}-[a-z0-9]{10}$/ }),
    by: text({ most: 12, pattern: /^[0-9a-f]{12}$/ }),
    at: text({ most: 40, pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/ }),
    notes: list(NOTE, { most: MOST_NOTES }),
    growth_edge: maybe(words),
    plan: maybe(object({ text: words, next_date: maybe(day) }, { next_date: null })),
    ratings: maybe(object({ rubric: shortName, items: record(shortItem, maybe(whole()), { most: 100 }) })),
  },
  { sotto_review: 1, notes: [], growth_edge: null, plan: null, ratings: null },
);

/** The review in a document. Throws ShapeError. */
export function parseReview(bytes) {
  return checked(parsed(REVIEW, bytes, { called: "the review", mostBytes: MOST_DOCUMENT_BYTES }));
}

/** The bytes of a review as they are sealed. Throws ShapeError where it says nothing, or is not what readers take. */
export function reviewBytes(review) {
  const document = checked(REVIEW({ sotto_review: 1, ...review }, "the review"));
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  const padded = new Uint8Array(Math.ceil(bytes.length / STEP_BYTES) * STEP_BYTES).fill(0x20);
  if (padded.length > MOST_DOCUMENT_BYTES) throw new ShapeError("the review", "is too long");
  padded.set(bytes);
  return padded;
}

/** Whether there is anything in it that is worth sealing. */
export function saysSomething({ notes, growth_edge, plan, ratings }) {
  return notes.length > 0 || growth_edge !== null || plan !== null || ratings !== null;
}

function checked(review) {
  review.notes.forEach(({ at_us, until_us }, index) => {
    const inOrder = until_us === null || (at_us !== null && until_us >= at_us);
    if (!inOrder) throw new ShapeError(`the review.notes[${index + 1}]`, "ends before it begins");
  });
  if (!saysSomething(review)) throw new ShapeError("the review", "says nothing");
  return review;
}

function day(value, where) {
  const told = text({ most: 10, pattern: /^(?!0000)\d{4}-\d\d-\d\d$/ })(value, where);
  const read = new Date(`${told}T00:00:00Z`);
  if (Number.isNaN(read.getTime()) || !read.toISOString().startsWith(told)) throw new ShapeError(where, "is no day");
  return told;
}

function shortItem(name, where) {
  return text({ least: 1, most: 200 })(name, where);
}
