// What is said of a course of scores, in sentences; a clinic can translate this module.

const DAY = { day: "numeric", month: "short", year: "numeric" };

export const TRACK = { off: "Off track", on: "On track", unsure: "Not judged" };

/** Why a course is called what it is called. */
export function why({ why: reason, known, session, points }) {
  const scored = points.filter((point) => point.value !== null).map((point) => point.value);
  const moved = Math.abs(scored.at(-1) - scored[0]);
  const told = {
    worse: () => `${figure(moved)} worse than at the first; ${figure(known.change)} counts as a change.`,
    still: () => `Session ${session}, and not better by the ${figure(known.change)} that count as a change.`,
    better: () => `${figure(moved)} better than at the first; ${figure(known.change)} counts as a change.`,
    even: () => `Moved by less than the ${figure(known.change)} that count as a change.`,
    one: () => "It takes two scores to say anything.",
    direction: () => "Which way is better is not known of this form.",
  };
  return told[reason]();
}

/** What a reader has to know about the rule; "" where a published change was used. */
export function caveat(known) {
  if (known === null || known.tested) return "";
  return `This form is not tested. ${figure(known.change)} is an eighth of its range, a rule of thumb.`;
}

export function title({ measure, person, name }, people) {
  return `${measure.title}: ${name}${people > 1 ? `, person ${person}` : ""}`;
}

/** A point of a chart, in words. */
export function point({ value, band, at }, { least, most }, number) {
  const scored = value === null ? "answered, too much left out for a score" : `${figure(value)}, from ${figure(least)} to ${figure(most)}`;
  return `Session ${number}, ${day(at)}: ${scored}${band === null ? "" : `, ${band}`}. Open the recording.`;
}

export function missing({ unscored, unopened }, number) {
  const told = unscored
    ? "answered, too much left out for a score"
    : unopened
      ? "there are measures that your key does not open"
      : "not measured";
  return `Session ${number}: ${told}. Open the recording.`;
}

/** How many sessions of a client code have no measures; "" where all have. */
export function without(count, all) {
  if (count === 0) return "";
  return `${count} of ${all} ${all === 1 ? "session" : "sessions"} without measures.`;
}

export function day(moment) {
  return new Date(moment).toLocaleDateString(undefined, DAY);
}

export function figure(value) {
  return String(Math.round(value * 10) / 10);
}
