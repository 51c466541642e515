// The end mark of a whole recording, which says where each moment lies. Its layout is told in device/recording/index.py.

import { hex, fourcc, u64, view } from "../bytes.js";

const TYPE = "536f74746f496e646578a7c1f2e34d01";
const HEAD_BYTES = 24;

/** `{rateHz, samples, durationUs, gaps: [{start, samples}], entries: [{chunk, startUs, key}]}`; null where there is none. */
export function parseIndex(chunk) {
  if (chunk.length < HEAD_BYTES + 32 || fourcc(chunk, 4) !== "uuid" || hex(chunk.subarray(8, 24)) !== TYPE) return null;
  const data = view(chunk);
  if (data.getUint8(HEAD_BYTES) !== 1) return null;
  const [gapCount, entryCount] = [data.getUint32(HEAD_BYTES + 24), data.getUint32(HEAD_BYTES + 28)];
  const gapsAt = HEAD_BYTES + 32;
  const entriesAt = gapsAt + gapCount * 16;
  if (entriesAt + entryCount * 8 > chunk.length) return null;
  return {
    rateHz: data.getUint32(HEAD_BYTES + 4),
    samples: u64(data, HEAD_BYTES + 8),
    durationUs: u64(data, HEAD_BYTES + 16),
    gaps: Array.from({ length: gapCount }, (_, line) => ({
      start: u64(data, gapsAt + line * 16),
      samples: u64(data, gapsAt + line * 16 + 8),
    })),
    entries: Array.from({ length: entryCount }, (_, line) => entry(data, entriesAt + line * 8)),
  };
}

function entry(data, at) {
  const time = data.getUint32(at + 4);
  return { chunk: data.getUint32(at), startUs: (time >>> 1) * 1000, key: (time & 1) === 1 };
}
