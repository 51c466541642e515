// What a box sealed beside a recording, opened: an answered measure (device/measures/document.py), and the label that says
// whose session it was, and notes (device/recording/named.py).

import { flag, is, list, maybe, number, object, oneOf, parsed, text, whole } from "../shape.js";

const MOST_DOCUMENT_BYTES = 64 * 1024; // what a box makes is 32 KiB at most, and spaces behind it
const MOST_PEOPLE = 12;
const MARK = /^[0-9a-f]{12}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)$/;
const ON_ONE_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+$/u;
const DIGEST = /^[0-9a-f]{64}$/;
const SLUG = /^[a-z0-9][a-z0-9-]{0,23}$/;

const words = text({ least: 1, most: 120 });
const word = text({ least: 1, most: 60, pattern: ON_ONE_LINE });
const slug = text({ most: 24, pattern: SLUG });
const mark = text({ most: 12, pattern: MARK });
const moment = text({ most: 32, pattern: MOMENT });

const LABEL = object(
  {
    kind: is("sotto-label"),
    format: is(1),
    at: moment,
    clock_trusted: flag,
    by: mark,
    client: word,
    session: maybe(whole({ least: 1, most: 9999 })),
    study: maybe(word),
    arm: maybe(word),
  },
  { format: 1, kind: "sotto-label", session: null, study: null, arm: null },
);

const NOTE = object(
  { kind: is("sotto-note"), format: is(1), at: moment, clock_trusted: flag, by: mark, text: text({ least: 1, most: 4000 }) },
  { format: 1, kind: "sotto-note" },
);

const ANSWERED = object({
  item: slug,
  text: text({ least: 1, most: 800 }),
  value: maybe(whole()),
  words: maybe(words),
  least: whole(),
  most: whole(),
});

const SCORED = object({
  id: slug,
  name: words,
  value: maybe(number()),
  least: number(),
  most: number(),
  band: maybe(words),
  missing: whole({ least: 0, most: 100 }),
});

const MEASURED = object(
  {
    kind: is("sotto-measure"),
    format: is(1),
    measure: object({
      id: slug,
      version: words,
      language: text({ least: 2, most: 35 }),
      title: words,
      digest: text({ most: 64, pattern: DIGEST }),
    }),
    moment: oneOf("before", "after", "any"),
    by: mark,
    person: whole({ least: 1, most: MOST_PEOPLE }),
    started: moment,
    finished: moment,
    clock_trusted: flag,
    answers: list(ANSWERED, { most: 100 }),
    scores: list(SCORED, { most: 20 }),
  },
  { kind: "sotto-measure", format: 1 },
);

/** The label that was sealed. Throws ShapeError. */
export function parseLabel(bytes) {
  return parsed(LABEL, bytes, { called: "the label", mostBytes: MOST_DOCUMENT_BYTES });
}

/** The note that was sealed. Throws ShapeError. */
export function parseNote(bytes) {
  return parsed(NOTE, bytes, { called: "the note", mostBytes: MOST_DOCUMENT_BYTES });
}

/** The answered measure that was sealed. Throws ShapeError; also where a score is outside of what it can be. */
export function parseMeasure(bytes) {
  const measured = parsed(MEASURED, bytes, { called: "the measure", mostBytes: MOST_DOCUMENT_BYTES });
  measured.scores.forEach((score, index) => {
    if (score.value !== null) number(score)(score.value, `the measure.scores[${index + 1}].value`);
  });
  return measured;
}
