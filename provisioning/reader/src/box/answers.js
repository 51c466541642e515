// What a box may answer, shape by shape. Whatever it sends is data: it is checked here, and shown as text.

import { ReaderError } from "../errors.js";

export const odd = (name) =>
  new ReaderError(
    "odd answer",
    `${name} answers as no box does.`,
    "Find out what is behind its address before you try again.",
  );

export const changedThere = () =>
  new ReaderError(
    "changed there",
    "The recording on the box is another than it was.",
    "Open it anew from the list.",
  );

const ID = /^[0-9]{6}-[a-z0-9]{10}$/;
const ATTACHMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}\.age$/;
const COUNT = (value) => Number.isSafeInteger(value) && value >= 0;
const TEXT = (value) => typeof value === "string" && value.length <= 1000;
const OR_NULL = (check) => (value) => value === null || check(value);

const ENTRY = {
  id: (value) => typeof value === "string" && ID.test(value),
  box: TEXT,
  state: TEXT,
  started: TEXT,
  clock_trusted: (value) => typeof value === "boolean",
  duration_us: COUNT,
  consent: TEXT,
  picture: (value) => typeof value === "boolean",
  sound: TEXT,
  bookmarks: COUNT,
  therapist: OR_NULL(TEXT),
  size_bytes: COUNT,
  downloadable: (value) => typeof value === "boolean",
};

const fits = (shape, value) =>
  value !== null && typeof value === "object" && Object.entries(shape).every(([name, check]) => check(value[name]));

/** The recordings of a listing, those parts of each that the reader uses. Null where it is no listing. */
export function listing(value) {
  if (!Array.isArray(value?.recordings) || !value.recordings.every((one) => fits(ENTRY, one))) return null;
  return value.recordings.map((one) => Object.fromEntries(Object.keys(ENTRY).map((name) => [name, one[name]])));
}

/** What lies beside a recording: `[{name, size_bytes}]`. Null where it is no answer to that. */
export function attachments(value) {
  const found = value?.attachments ?? [];
  const good = (one) => ATTACHMENT.test(one?.name) && COUNT(one.size_bytes);
  return fits(ENTRY, value) && Array.isArray(found) && found.every(good)
    ? found.map(({ name, size_bytes }) => ({ name, size_bytes }))
    : null;
}

export const challenge = (value) =>
  TEXT(value?.id) && typeof value.sealed === "string" ? { id: value.id, sealed: value.sealed } : null;

export const granted = (value) =>
  TEXT(value?.token) && /^[A-Za-z0-9_-]{20,100}$/.test(value.token) ? value.token : null;

export const kept = (value) => (ATTACHMENT.test(value?.name) ? value.name : null);
