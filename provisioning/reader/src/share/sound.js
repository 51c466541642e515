// The sound of a recording alone, written anew: its FLAC frames, as they are, in fragments that hold nothing else. No byte of
// a picture goes along. With a from and a to it is cut at the very frames that hold these moments.

import { CHUNK_BYTES } from "../age/chunks.js";
import { concat, utf8, view } from "../bytes.js";
import { initWithout } from "../recording/fragments.js";
import { lastBefore } from "../recording/places.js";
import { SECOND_US } from "../times.js";
import { CLOSING, emptySlice, within } from "./clip.js";
import { endMark, padded, paddedBytes } from "./endmark.js";
import { readRun, ticksOf, usOf } from "./samples.js";
import { walk } from "./walking.js";

const MOST_FRAGMENT_S = 2;
const FRAGMENT_OVERHEAD_BYTES = 8 + 16 + 8 + 8 + 16 + 20 + 20; // moof, mfhd, mdat; traf, tfhd, tfdt, trun
const LINE_BYTES = 12;
const BEFORE_US = 2 * SECOND_US; // sound comes in its own rhythm: where picture is, its fragment may be an earlier one

/** The plaintext of a recording's sound, a piece at a time; as `clip` otherwise. */
export async function* soundOnly(recording, { fromUs = 0, toUs = Infinity, told = () => {}, progress = () => {}, signal = null } = {}) {
  const tracks = [...recording.tracks.values()];
  const sound = tracks.find((track) => !track.picture);
  yield padded(withoutPictures(recording, tracks));
  const first = await lastBefore(recording, Math.max(0, fromUs - BEFORE_US), await recording.fragmentAt(1));
  const frames = new Frames(sound, ticksOf(sound, fromUs), ticksOf(sound, Math.min(toUs, recording.durationUs)));
  for await (const { fragment, content } of walk(recording, first, { toUs: toUs + BEFORE_US, progress, signal })) {
    if (fragment.sound !== null) yield* frames.take(content, readRun(content, fragment, fragment.sound));
  }
  yield* frames.flush();
  if (frames.end === 0) throw emptySlice();
  yield endMark(frames.mark(recording.index?.gaps ?? []));
  told({ startUs: usOf(sound, frames.movedBy), endUs: usOf(sound, frames.movedBy + frames.end) });
  yield CLOSING;
}

/** The first chunk, in which the picture's boxes are padding with nothing in it. */
function withoutPictures(recording, tracks) {
  const leftOut = new Set(tracks.filter((track) => track.picture).map((track) => track.id));
  return initWithout(recording.first, recording.initBytes, leftOut);
}

/** Frames of sound on their way into fragments of one chunk each. */
class Frames {
  #sound;
  #from;
  #to;
  #frames = [];
  #bytes = 0;
  #start = 0;
  #fragments = 0;
  #entries = [];
  movedBy = -1;
  end = 0;

  constructor(sound, from, to) {
    this.#sound = sound;
    this.#from = from;
    this.#to = to;
  }

  *take(content, run) {
    let at = run.start;
    for (const sample of run.samples) {
      const frame = { data: content.subarray(sample.at, sample.at + sample.bytes), ...sample };
      if (at + sample.duration > this.#from && at < this.#to) yield* this.#add(frame, at);
      at += sample.duration;
    }
  }

  *#add(frame, at) {
    if (this.movedBy < 0) this.movedBy = at;
    const start = at - this.movedBy;
    const full = FRAGMENT_OVERHEAD_BYTES + this.#bytes + frame.bytes + LINE_BYTES * (this.#frames.length + 1);
    const long = start + frame.duration - this.#start > MOST_FRAGMENT_S * this.#sound.timescale;
    if (this.#frames.length > 0 && (long || start !== this.end || paddedBytes(full) > CHUNK_BYTES)) yield* this.flush();
    if (this.#frames.length === 0) this.#start = start;
    this.#frames.push(frame);
    this.#bytes += frame.bytes;
    this.end = start + frame.duration;
  }

  /** Write what waits as a fragment of its own. */
  *flush() {
    if (this.#frames.length === 0) return;
    this.#fragments += 1;
    this.#entries.push({ chunk: this.#fragments, startUs: usOf(this.#sound, this.#start), key: true });
    yield padded(fragmentOf(this.#fragments, this.#sound.id, this.#start, this.#frames));
    [this.#frames, this.#bytes] = [[], 0];
  }

  mark(gaps) {
    const moved = gaps.map((gap) => within(gap, Math.max(0, this.movedBy), this.end)).filter((gap) => gap.samples > 0);
    const rateHz = this.#sound.timescale;
    return { rateHz, samples: this.end, durationUs: usOf(this.#sound, this.end), gaps: moved, entries: this.#entries };
  }
}

/** `moof` and `mdat` of one run, as device/capture/boxes.py writes them. */
function fragmentOf(sequence, trackId, start, frames) {
  const lines = frames.map(({ duration, bytes, flags }) => numbers(duration, bytes, flags));
  const dataAt = FRAGMENT_OVERHEAD_BYTES + LINE_BYTES * frames.length;
  const traf = box(
    "traf",
    box("tfhd", numbers(0x020000, trackId)),
    box("tfdt", numbers(0x01000000, Math.floor(start / 2 ** 32), start % 2 ** 32)),
    box("trun", numbers(0x000701, frames.length, dataAt), ...lines),
  );
  const moof = box("moof", box("mfhd", numbers(0, sequence)), traf);
  return concat([moof, box("mdat", ...frames.map((frame) => frame.data))]);
}

function box(kind, ...parts) {
  const content = concat(parts);
  return concat([numbers(8 + content.length), utf8(kind), content]);
}

function numbers(...values) {
  const bytes = new Uint8Array(4 * values.length);
  values.forEach((value, at) => view(bytes).setUint32(4 * at, value));
  return bytes;
}
