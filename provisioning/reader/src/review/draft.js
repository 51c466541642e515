// What is being written about a recording while it is watched: a draft that every change makes anew. Pure.
//
// A note that is begun stands at the moment at which its key was pressed, however long the writing takes and wherever the
// playing has come to by then. It is open until its text is kept; one without text was never written.

import { MOST_NOTES } from "./document.js";

export const EMPTY = Object.freeze({ notes: Object.freeze([]), growth_edge: "", plan: "", next_date: "", ratings: Object.freeze({}) });

/** A note begun at a moment; `null`: about the whole recording. Gives the draft and the note's number in it. */
export function begun(draft, atUs) {
  const number = 1 + Math.max(0, ...draft.notes.map((note) => note.number));
  const at_us = atUs === null ? null : Math.max(0, Math.round(atUs));
  if (draft.notes.length >= MOST_NOTES) return { draft, number: null };
  const note = { number, at_us, until_us: null, text: "", tags: [] };
  return { draft: { ...draft, notes: inOrder([...draft.notes, note]) }, number };
}

/** The draft with one note changed: {text}, {tags}, {at_us} or {until_us}. An end before the beginning is none. */
export function changed(draft, number, change) {
  const notes = draft.notes.map((note) => (note.number === number ? lawful({ ...note, ...change }) : note));
  return { ...draft, notes: inOrder(notes) };
}

/** The draft without a note. */
export function dropped(draft, number) {
  return { ...draft, notes: draft.notes.filter((note) => note.number !== number) };
}

/** A tag put to a note, or taken from it. */
export function toggled(draft, number, tag) {
  const note = draft.notes.find((one) => one.number === number);
  const tags = note.tags.includes(tag) ? note.tags.filter((one) => one !== tag) : [...note.tags, tag];
  return changed(draft, number, { tags });
}

/** Whether anything in it would be lost. */
export function isEmpty(draft) {
  const { growth_edge, plan, ratings } = draft;
  return (
    draft.notes.every(isBlank) &&
    [growth_edge, plan].every((one) => one.trim() === "") &&
    Object.values(ratings).every((one) => one === null)
  );
}

/** The review that a draft becomes. A note of nothing but tags says those; one of nothing at all is left out. */
export function reviewOf(draft, { recording, by, at, rubric }) {
  const written = draft.notes.filter((note) => !isBlank(note));
  const notes = written.map(({ at_us, until_us, text, tags }) => ({ at_us, until_us, text: text.trim() || tags.join(", "), tags }));
  const rated = rubric !== null && Object.values(draft.ratings).some((value) => value !== null);
  const items = rated ? Object.fromEntries(rubric.items.map(({ id }) => [id, draft.ratings[id] ?? null])) : null;
  return {
    recording,
    by,
    at,
    notes,
    growth_edge: draft.growth_edge.trim() || null,
    plan: draft.plan.trim() === "" ? null : { text: draft.plan.trim(), next_date: draft.next_date || null },
    ratings: rated ? { rubric: rubric.id, items } : null,
  };
}

function isBlank(note) {
  return note.text.trim() === "" && note.tags.length === 0;
}

function lawful(note) {
  const ends = note.until_us !== null && note.at_us !== null && note.until_us > note.at_us;
  return { ...note, until_us: ends ? note.until_us : null };
}

// What is said of the whole comes first; of two at the same moment, the one that was begun first.
function inOrder(notes) {
  return notes.sort((one, other) => (one.at_us ?? -1) - (other.at_us ?? -1) || one.number - other.number);
}
