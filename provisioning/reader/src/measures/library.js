// The sessions of every recording that this person's boxes show them, looked at once in a visit.

import { attachmentsOf } from "../beside/attachments.js";
import { gather } from "../beside/gathering.js";

/**
 * A library for a visit: `library(clinic, {progress, signal, again})` gives `{sessions, chosenOf(recording)}`. `choose(entry, box,
 * clinic)` makes of an entry what the page opens.
 */
export function libraryOf(choose) {
  const known = new WeakMap();
  return async (clinic, { progress, signal = null, again = false } = {}) => {
    if (again || !known.has(clinic)) known.set(clinic, await look(clinic, { progress, signal, choose }));
    return known.get(clinic);
  };
}

async function look(clinic, { progress, signal, choose }) {
  const lists = await Promise.all(clinic.boxes.map(async (box) => (await box.recordings()).map((entry) => ({ box, entry }))));
  const all = lists.flat().filter(({ entry }) => entry.state !== "open");
  const sessions = await gather(
    all.map(({ box, entry }) => recordingOf(box, entry, clinic.keyring)),
    { progress, signal },
  );
  const byId = new Map(all.map(({ box, entry }) => [entry.id, () => choose(entry, box, clinic)]));
  return { sessions, chosenOf: (recording) => byId.get(recording)() };
}

const recordingOf = (box, entry, keyring) => ({
  id: entry.id,
  box: box.name,
  started: entry.started,
  keyring,
  attachments: () => attachmentsOf({ box, entry, beside: [] }),
});
