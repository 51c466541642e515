// The levels of a whole recording, from looking at some places all over it: an overview, not a measurement.

import { concat } from "../bytes.js";
import { free, initWithout } from "../recording/fragments.js";

export const PLACES = 120;
export const MOST_BYTES = PLACES * 65_552;

/** Tell `levels` how loud a recording is at places spread evenly over it, one after the other. */
export async function survey(recording, levels, signal) {
  const pictures = [...recording.tracks.values()].filter((track) => track.picture);
  const init = initWithout(recording.first, recording.initBytes, new Set(pictures.map((track) => track.id)));
  const count = Math.min(PLACES, recording.fragmentsEnd - 1);
  for (let place = 0; place < count && !signal.aborted; place += 1) {
    const chunk = 1 + Math.floor((place * (recording.fragmentsEnd - 1)) / count);
    const fragment = await recording.fragmentOver(chunk, 1);
    if (!fragment.sound) continue;
    const bytes = await contentOf(recording, fragment);
    const reachUs = fragment.startUs + recording.durationUs / count;
    await levels.addRough({ startUs: fragment.startUs, endUs: reachUs, bytes, init });
  }
}

/** A fragment's bytes, its picture left out. */
async function contentOf(recording, fragment) {
  const chunks = [];
  for (let at = 0; at < fragment.chunks; at += 1) chunks.push(await recording.chunk(fragment.chunk + at));
  const bytes = concat(chunks).slice(0, fragment.contentBytes);
  for (const run of fragment.runs) if (run.track.picture) free(bytes, run.trafAt + 4);
  return bytes;
}
