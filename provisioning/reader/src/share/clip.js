// A clip: a slice of a recording that is a recording of its own (ARCHITECTURE, section 6), chunk by chunk: the tracks, the
// fragments moved to the clip's own beginning, an end mark, and the closing. Sealed anew it opens with everything that opens
// a recording, and there is nothing in it of what was before or after.

import { CHUNK_BYTES } from "../age/chunks.js";
import { ReaderError } from "../errors.js";
import { startFragment } from "../recording/places.js";
import { initWithout } from "../recording/fragments.js";
import { BATCH_CHUNKS } from "../recording/recording.js";
import { endMark, padded } from "./endmark.js";
import { readRun, setStart, ticksOf, usOf, wipe } from "./samples.js";
import { walk } from "./walking.js";

export const CLOSING = Uint8Array.of(0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65); // an empty `free` box

/** The plaintext of a clip with all the tracks of a recording, a piece at a time. `told(span)` is called at its end. */
export async function* clip(recording, { fromUs, toUs, told = () => {}, progress = () => {}, signal = null }) {
  const first = await startFragment(recording, fromUs);
  const leftOut = await tracksWithoutPictures(recording, first, toUs);
  yield padded(initWithout(recording.first, recording.initBytes, leftOut));
  const cut = new Cut(recording, leftOut);
  for await (const { fragment, content } of walk(recording, first, { toUs, progress, signal })) {
    yield* cut.take(fragment, content, { far: fragment.chunk - first.chunk >= BATCH_CHUNKS });
  }
  yield* cut.flush();
  if (cut.momentUs < 0) throw emptySlice();
  yield endMark(cut.mark());
  told({ startUs: cut.momentUs, endUs: cut.momentUs + cut.mark().durationUs });
  yield CLOSING;
}

/** The picture track where a slice has no picture that can be shown; players complain about a track with nothing in it. */
async function tracksWithoutPictures(recording, first, toUs) {
  const pictures = [...recording.tracks.values()].filter((track) => track.picture).map((track) => track.id);
  if (pictures.length === 0 || first.key) return new Set();
  for (let at = first.chunk + first.chunks; at < recording.fragmentsEnd;) {
    const fragment = await recording.fragmentAt(at);
    if (fragment.startUs >= toUs) break;
    if (fragment.key) return new Set();
    at = fragment.chunk + fragment.chunks;
  }
  return new Set(pictures);
}

/** The fragments of a clip, as they are taken from the recording and changed for it. */
class Cut {
  #pictured;
  #unseen;
  #silent; // tracks whose pictures need one from before the clip, up to their first key picture
  #leftOut;
  #gaps;
  #sound;
  #waiting = [];
  #entries = [];
  #chunks = 1;
  #samples = 0;
  momentUs = -1;

  constructor(recording, leftOut) {
    const tracks = [...recording.tracks.values()];
    this.#leftOut = leftOut;
    this.#pictured = tracks.some((track) => track.picture && !leftOut.has(track.id));
    this.#unseen = new Set(tracks.map((track) => track.id).filter((id) => !leftOut.has(id)));
    this.#silent = new Set(tracks.filter((track) => track.picture).map((track) => track.id));
    this.#sound = tracks.find((track) => !track.picture);
    this.#gaps = recording.index?.gaps ?? [];
  }

  /** Take one fragment; what can be written by now. */
  *take(fragment, content, { far }) {
    const runs = fragment.runs.map((run) => readRun(content, fragment, run)).filter((run) => this.#heard(content, run));
    if (runs.length === 0) return;
    this.#waiting.push({ content, runs });
    for (const run of runs) this.#unseen.delete(run.track.id);
    // The track that is still to come may start a little earlier than the others.
    if (this.momentUs < 0 && this.#unseen.size > 0 && !far) return;
    yield* this.flush();
  }

  #heard(content, run) {
    if (run.key) this.#silent.delete(run.track.id);
    const heard = !this.#silent.has(run.track.id) && !this.#leftOut.has(run.track.id);
    if (!heard) wipe(content, run);
    return heard;
  }

  /** Everything that waits, moved to the clip's own beginning. */
  *flush() {
    if (this.#waiting.length === 0) return;
    if (this.momentUs < 0) this.momentUs = Math.min(...this.#waiting.flatMap(({ runs }) => runs.map(startUsOf)));
    for (const { content, runs } of this.#waiting.splice(0)) {
      for (const run of runs) this.#move(content, run);
      const key = !this.#pictured || runs.some((run) => run.track.picture && run.key);
      this.#entries.push({ chunk: this.#chunks, startUs: Math.min(...runs.map(startUsOf)), key });
      this.#chunks += content.length / CHUNK_BYTES;
      yield content;
    }
  }

  #move(content, run) {
    run.start = Math.max(0, run.start - ticksOf(run.track, this.momentUs));
    setStart(content, run, run.start);
    if (run.track === this.#sound) this.#samples = Math.max(this.#samples, run.start + run.duration);
  }

  /** What the end mark says. */
  mark() {
    const [samples, movedBy] = [this.#samples, ticksOf(this.#sound, Math.max(0, this.momentUs))];
    const gaps = this.#gaps.map((gap) => within(gap, movedBy, samples)).filter((gap) => gap.samples > 0);
    const { timescale: rateHz } = this.#sound;
    return { rateHz, samples, durationUs: usOf(this.#sound, samples), gaps, entries: this.#entries };
  }
}

export const emptySlice = () =>
  new ReaderError("empty slice", "There is nothing between these two moments.", "Let the second be later than the first.");

/** The part of a gap that lies in a clip, counted from the clip's beginning. */
export function within(gap, movedBy, samples) {
  const start = Math.max(0, gap.start - movedBy);
  const end = Math.min(samples, gap.start + gap.samples - movedBy);
  return { start, samples: end - start };
}

const startUsOf = (run) => usOf(run.track, run.start);
