// The end mark of what is cut here, written as device/recording/index.py writes that of a recording. Reading one is in
// recording/index.js.

import { CHUNK_BYTES } from "../age/chunks.js";
import { view } from "../bytes.js";

const TYPE = Uint8Array.from("536f74746f496e646578a7c1f2e34d01".match(/../g), (pair) => Number.parseInt(pair, 16));
const UUID = Uint8Array.of(0x75, 0x75, 0x69, 0x64);
const FREE = Uint8Array.of(0x66, 0x72, 0x65, 0x65);
const BOX_HEAD_BYTES = 8 + TYPE.length;
const FIXED_BYTES = 32;
const GAP_BYTES = 16;
const ENTRY_BYTES = 8;
const LEAST_FREE_BYTES = 8;
const MOST_GAPS = 1000;

/** The end mark as a whole chunk, as `parseIndex` reads it; as many entries stay as fit. */
export function endMark({ rateHz, samples, durationUs, gaps, entries }) {
  const told = gaps.slice(0, MOST_GAPS);
  const room = CHUNK_BYTES - LEAST_FREE_BYTES - BOX_HEAD_BYTES - FIXED_BYTES - GAP_BYTES * told.length;
  const kept = thinned(entries, Math.floor(room / ENTRY_BYTES));
  const content = new Uint8Array(BOX_HEAD_BYTES + FIXED_BYTES + GAP_BYTES * told.length + ENTRY_BYTES * kept.length);
  const data = view(content);
  data.setUint32(0, content.length);
  content.set(UUID, 4);
  content.set(TYPE, 8);
  data.setUint8(BOX_HEAD_BYTES, 1);
  data.setUint32(BOX_HEAD_BYTES + 4, rateHz);
  data.setBigUint64(BOX_HEAD_BYTES + 8, BigInt(samples));
  data.setBigUint64(BOX_HEAD_BYTES + 16, BigInt(durationUs));
  data.setUint32(BOX_HEAD_BYTES + 24, told.length);
  data.setUint32(BOX_HEAD_BYTES + 28, kept.length);
  writeLines(data, BOX_HEAD_BYTES + FIXED_BYTES, told, kept);
  return padded(content);
}

function writeLines(data, start, gaps, entries) {
  let at = start;
  for (const gap of gaps) {
    data.setBigUint64(at, BigInt(gap.start));
    data.setBigUint64(at + 8, BigInt(gap.samples));
    at += GAP_BYTES;
  }
  for (const { chunk, startUs, key } of entries) {
    data.setUint32(at, chunk);
    data.setUint32(at + 4, Math.floor(startUs / 1000) * 2 + Number(key));
    at += ENTRY_BYTES;
  }
}

/** The multiple of a chunk that a content is filled up to; a remainder too small for a box takes one chunk more. */
export function paddedBytes(contentBytes) {
  const chunks = Math.ceil(contentBytes / CHUNK_BYTES);
  const room = chunks * CHUNK_BYTES - contentBytes;
  return (chunks + Number(room > 0 && room < LEAST_FREE_BYTES)) * CHUNK_BYTES;
}

/** A content filled up with a `free` box to whole chunks. */
export function padded(content) {
  const whole = new Uint8Array(paddedBytes(content.length));
  whole.set(content);
  if (whole.length > content.length) {
    view(whole).setUint32(content.length, whole.length - content.length);
    whole.set(FREE, content.length + 4);
  }
  return whole;
}

// The places where a slice can start as long as there are enough, else every n-th of all.
function thinned(entries, most) {
  if (entries.length <= most) return entries;
  const keys = entries.filter((entry) => entry.key);
  const chosen = keys.length * 4 >= most ? keys : entries;
  const step = Math.ceil(chosen.length / most);
  return chosen.filter((_, line) => line % step === 0);
}
