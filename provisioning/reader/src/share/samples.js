// The samples of a fragment, one by one: where each lies and how long it lasts; and the fragment changed in its place. What
// recording/fragments.js has read was checked there; here only what it did not need is read as well.
//
// Source: ISO/IEC 14496-12: 8.8.8 (trun), 8.8.12 (tfdt).

import { fourcc, u64, view } from "../bytes.js";
import { unknownWriting } from "../errors.js";
import { SECOND_US } from "../times.js";

const HEAD = 8;
const TFHD_BYTES = 16; // as every run is written: one tfhd, one tfdt, one trun, in this order
const TFDT_BYTES = 20;
const RUN_HEAD_BYTES = 12;
const LINE_BYTES = 12;

/**
 * A run of a fragment in its own units: `{track, start, duration, samples: [{at, bytes, duration, flags}], …}`. `at` counts
 * from the fragment's first byte, as all places here.
 */
export function readRun(content, fragment, run) {
  const data = view(content);
  const timeAt = run.trafAt + HEAD + TFHD_BYTES + HEAD + 4;
  const trunAt = run.trafAt + HEAD + TFHD_BYTES + TFDT_BYTES + HEAD;
  const [count, dataAt] = [data.getUint32(trunAt + 4), data.getInt32(trunAt + 8)];
  const samples = [];
  if (trunAt + RUN_HEAD_BYTES + LINE_BYTES * count > data.getUint32(0)) throw unknownWriting(fragment.chunk);
  let [at, duration] = [dataAt, 0];
  for (let line = trunAt + RUN_HEAD_BYTES; samples.length < count; line += LINE_BYTES) {
    const sample = { at, duration: data.getUint32(line), bytes: data.getUint32(line + 4), flags: data.getUint32(line + 8) };
    samples.push(sample);
    at += sample.bytes;
    duration += sample.duration;
  }
  const asWritten = fourcc(content, timeAt - 8) === "tfdt" && fourcc(content, trunAt - 4) === "trun";
  const inside = dataAt >= data.getUint32(0) + HEAD && at <= fragment.contentBytes;
  if (!asWritten || !inside) throw unknownWriting(fragment.chunk);
  return { track: run.track, key: run.key, trafAt: run.trafAt, timeAt, start: u64(data, timeAt), duration, samples, dataAt, dataEnd: at };
}

/** Let a run start at another time, in its own units. */
export function setStart(content, run, start) {
  view(content).setBigUint64(run.timeAt, BigInt(start));
}

/** Take a run out without moving anything else: its box becomes padding, and its samples zeros. */
export function wipe(content, run) {
  const size = view(content).getUint32(run.trafAt);
  content.set([0x66, 0x72, 0x65, 0x65], run.trafAt + 4); // "free"
  content.fill(0, run.trafAt + HEAD, run.trafAt + size);
  content.fill(0, run.dataAt, run.dataEnd);
}

/**
 * A time of a track in microseconds, and back to its own units, to the nearest. In two steps: hours in microseconds times a
 * million are more than a number here holds exactly.
 */
export function usOf({ timescale }, ticks) {
  const seconds = Math.floor(ticks / timescale);
  return seconds * SECOND_US + Math.floor(((ticks - seconds * timescale) * SECOND_US) / timescale);
}

export function ticksOf({ timescale }, us) {
  const seconds = Math.floor(us / SECOND_US);
  return seconds * timescale + Math.floor(((us - seconds * SECOND_US) * timescale + SECOND_US / 2) / SECOND_US);
}
