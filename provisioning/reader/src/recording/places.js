// Where to begin so that a moment can be heard and seen: by the index, or by bisection where there is none. It is the
// same choice as in provisioning/slices.py.

// A key frame comes every two seconds or so. Where none came for this long the camera was given up, and what follows
// begins with sound alone.
export const MOST_LEAD_US = 10_000_000;
const MOST_FRAGMENTS_WITHOUT_SOUND = 8;

/** Where the index says to begin for a moment; undefined where there is none. `anywhere`: a key frame is not needed. */
export function entryFor(recording, fromUs, { anywhere = !recording.hasPicture } = {}) {
  return recording.index?.entries.findLast((entry) => entry.startUs <= fromUs && (anywhere || entry.key));
}

/** The fragment to begin with for a moment: the last one at or before it that starts with a key frame and has its sound. */
export async function startFragment(recording, fromUs) {
  const candidates = candidatesFor(recording, fromUs);
  let fragment = (await candidates.next()).value;
  if (!recording.hasPicture) return fragment;
  // Sound comes in its own rhythm: that of a key frame's moment may lie in the fragment before it.
  while (fragment.chunk > 1 && (await soundStartUs(recording, fragment)) > fromUs) {
    fragment = (await candidates.next()).value;
  }
  return fragment;
}

async function soundStartUs(recording, first) {
  let fragment = first;
  for (let tried = 0; tried < MOST_FRAGMENTS_WITHOUT_SOUND; tried += 1) {
    if (fragment.sound) return Math.floor(fragment.sound.startUs / 1000) * 1000;
    const following = fragment.chunk + fragment.chunks;
    if (following >= recording.fragmentsEnd) break;
    fragment = await recording.fragmentAt(following, fragment.endUs);
  }
  return fragment.startUs;
}

async function* candidatesFor(recording, fromUs) {
  let firstOfAll = true;
  const keys = recording.index ? keysByIndex(recording, fromUs) : keysByStepping(recording, fromUs);
  for await (const fragment of keys) {
    if (firstOfAll && fromUs - fragment.startUs > MOST_LEAD_US) yield await lastBefore(recording, fromUs, fragment);
    firstOfAll = false;
    yield fragment;
  }
  yield await recording.fragmentAt(1);
}

async function* keysByIndex(recording, fromUs) {
  const { entries } = recording.index;
  for (let line = entries.length - 1; line >= 0; line -= 1) {
    const { chunk, startUs, key } = entries[line];
    if (key && startUs <= fromUs) yield await recording.fragmentAt(chunk, startUs);
  }
}

async function* keysByStepping(recording, fromUs) {
  const found = await lastBefore(recording, fromUs, await recording.fragmentAt(1));
  let fragment = found;
  while (fromUs - fragment.startUs <= MOST_LEAD_US) {
    if (fragment.key || !recording.hasPicture) yield fragment;
    if (fragment.chunk === 1) return;
    fragment = await recording.fragmentOver(fragment.chunk - 1, 1);
  }
  yield found;
}

/** The last fragment that starts at or before a moment, among those behind one that does. */
export async function lastBefore(recording, timeUs, known) {
  let best = known;
  let [low, high] = [known.chunk + known.chunks, recording.fragmentsEnd];
  while (low < high) {
    const fragment = await recording.fragmentOver(Math.floor((low + high) / 2), low);
    if (fragment.startUs <= timeUs) {
      best = fragment;
      low = fragment.chunk + fragment.chunks;
    } else {
      high = fragment.chunk;
    }
  }
  return best;
}
