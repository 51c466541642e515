// The parts of a session that are asked for again and again; a research finding, not a guess: ten minutes well chosen tell
// as much as the hour.

import { clock, SECOND_US } from "../times.js";

const MINUTE_US = 60 * SECOND_US;
const AROUND_US = { before: 2 * MINUTE_US, after: 3 * MINUTE_US }; // what led to a bookmark, and what came of it

const last = (minutes, durationUs) => ({
  id: `last-${minutes}`,
  label: `Last ${minutes} min`,
  name: `last ${minutes} minutes`,
  fromUs: durationUs - minutes * MINUTE_US,
  toUs: durationUs,
});

/** `[{id, label, name, fromUs, toUs}]`, as far as they make sense for a recording of that length. */
export function presets(durationUs, bookmarksUs) {
  const most = [
    last(15, durationUs),
    last(10, durationUs),
    { id: "first-10", label: "First 10 min", name: "first 10 minutes", fromUs: 0, toUs: 10 * MINUTE_US },
  ];
  const marks = bookmarksUs.map((us, line) => ({
    id: `bookmark-${line + 1}`,
    label: `Around ${clock(us)}`,
    name: `around the bookmark at ${clock(us)}`,
    fromUs: Math.max(0, us - AROUND_US.before),
    toUs: Math.min(durationUs, us + AROUND_US.after),
  }));
  return [...most.filter((one) => one.toUs - one.fromUs < durationUs && one.fromUs >= 0), ...marks];
}
