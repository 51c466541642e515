// The one rule by which a course of scores is called off track. It is a reason to look, never a diagnosis.
//
//   off track  the last score is worse than the first by a reliable change or more; or
//              from the eighth session on, an outcome that is not better than the first by a reliable change,
//              where the first left room for one
//   on track   neither
//   unsure     fewer than two scores, or nothing is known about which way is better
//
// Reliable change: what a score has to move by before it is more than the wobble of the form itself (Jacobson & Truax,
// Journal of Consulting and Clinical Psychology 59, 1991). 6 for the PHQ-9 and 4 for the GAD-7, as in Gyani, Shafran,
// Layard & Clark, Behaviour Research and Therapy 51, 2013, and the manual of the English Talking Therapies. Sotto's own
// forms of four lines are not tested and have none. An eighth of the range stands in for it, as the Outcome Rating
// Scale, a form of the same build, has 5 of 40 (Miller & Duncan, 2004); whoever reads it is told so.
//
// Eight sessions: by then about half of all clients have improved measurably (Howard, Kopta, Krause & Orlinsky, American
// Psychologist 41, 1986); who has not is worth a look, and is not therefore failing.

export const SESSIONS_TO_IMPROVE = 8;

const STAND_IN = 1 / 8;

// By measure and score: which way is better, what it is about, and the reliable change where one was published.
const KNOWN = {
  "phq-9/total": { better: "less", about: "outcome", change: 6 },
  "gad-7/total": { better: "less", about: "outcome", change: 4 },
  "outcome-4/mean": { better: "more", about: "outcome", change: null },
  "alliance-4/mean": { better: "more", about: "alliance", change: null },
};

/** What is known of a score: {better, about, change, tested}, or null. `range` is most - least. */
export function knownOf(measureId, scoreId, range) {
  const key = `${measureId}/${scoreId}`;
  if (!Object.hasOwn(KNOWN, key)) return null;
  const { better, about, change } = KNOWN[key];
  return { better, about, change: change ?? range * STAND_IN, tested: change !== null };
}

/**
 * The verdict on scores in the order of their sessions: {track, why}. They can be `least` to `most`.
 *
 * `session` is which session of theirs the last score is from: what its label says, or else how many are known.
 */
export function trackOf(values, { known, session, least, most }) {
  if (known === null) return { track: "unsure", why: "direction" };
  if (values.length < 2) return { track: "unsure", why: "one" };
  const [first, last] = [values[0], values.at(-1)];
  const gain = known.better === "more" ? last - first : first - last;
  const room = known.better === "more" ? most - first : first - least;
  if (gain <= -known.change) return { track: "off", why: "worse" };
  if (gain >= known.change) return { track: "on", why: "better" };
  const due = known.about === "outcome" && session >= SESSIONS_TO_IMPROVE && room >= known.change;
  if (due) return { track: "off", why: "still" };
  return { track: "on", why: "even" };
}
