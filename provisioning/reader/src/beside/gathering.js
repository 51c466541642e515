// The sessions of many recordings: what lies beside each is opened, a few at a time, for the courses of their scores.
//
// A recording to look at is `{id, box, started, attachments(), keyring}`: `box` is a name, `attachments` as attachmentsOf.

import { openAll } from "./attachments.js";

const AT_ONCE = 4;

/**
 * `[{recording, box, started, label, measures, unopened}]`, as measures/courses.js takes them, in the order of the recordings.
 * `progress(done, of)`; throws what the first that cannot be asked throws.
 */
export async function gather(recordings, { progress = () => {}, signal = null } = {}) {
  const sessions = new Array(recordings.length);
  let [next, done] = [0, 0];
  const work = async () => {
    while (next < recordings.length) {
      signal?.throwIfAborted();
      const place = next++;
      sessions[place] = await sessionOf(recordings[place]);
      progress(++done, recordings.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return sessions;
}

async function sessionOf({ id, box, started, attachments, keyring }) {
  const found = await attachments();
  const { said, unopened } = await openAll(
    found.filter(({ kind }) => kind === "label" || kind === "measure"),
    keyring,
  );
  const measures = said.filter(({ kind }) => kind === "measure").map(({ document }) => document);
  const label = said.find(({ kind }) => kind === "label")?.document ?? null;
  return { recording: id, box, started, label, measures, unopened: unopened.filter(({ kind }) => kind === "measure").length };
}
