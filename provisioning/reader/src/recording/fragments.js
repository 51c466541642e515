// What a recording's plaintext is made of: the tracks of its first chunk, and its fragments (ARCHITECTURE, section 6).
// Every chunk read here was authenticated, so what does not fit is not damage but another format. It is the same
// reading as provisioning/fragments.py; sources: ISO/IEC 14496-12: 8.4.2 (mdhd), 8.8 (movie fragments).

import { CHUNK_BYTES } from "../age/chunks.js";
import { fourcc, hex, u64, view } from "../bytes.js";
import { SECOND_US } from "../times.js";

const HEAD = 8;
const LEAST_FREE_BYTES = 8;
const NOT_KEY = 0x00010000; // sample_is_non_sync_sample
const RUN_AS_WRITTEN = 0x000701; // data offset; duration, size and flags of each sample

class Unfit extends Error {}

/** The boxes that follow each other from `start` to exactly `end`: their kind, and where their content lies. */
function* boxes(chunk, start, end) {
  const data = view(chunk);
  while (start < end) {
    if (end - start < HEAD) throw new Unfit("the last box has no room for its head");
    const size = data.getUint32(start);
    if (size < HEAD || size > end - start) throw new Unfit("a box is larger than what it is in");
    yield { kind: fourcc(chunk, start + 4), start: start + HEAD, end: start + size };
    start += size;
  }
}

function child(chunk, box, kind) {
  for (const found of boxes(chunk, box.start, box.end)) if (found.kind === kind) return found;
  throw new Unfit(`no ${kind} in ${box.kind}`);
}

function orNull(parse) {
  try {
    return parse();
  } catch (problem) {
    if (problem instanceof Unfit || problem instanceof RangeError) return null;
    throw problem;
  }
}

/**
 * The tracks that the first chunk announces, by their id, each `{id, timescale, picture, codec}`, and `initBytes`: how
 * many bytes of the chunk are not padding. Null where it is no such chunk.
 */
export const parseInit = (chunk) => orNull(() => init(chunk));

function init(chunk) {
  const top = [...boxes(chunk, 0, chunk.length)];
  if (top[0]?.kind !== "ftyp" || top[1]?.kind !== "moov" || top.slice(2).some((box) => box.kind !== "free")) return null;
  const moov = top[1];
  child(chunk, moov, "mvex");
  const traks = [...boxes(chunk, moov.start, moov.end)].filter((box) => box.kind === "trak");
  const tracks = new Map(traks.map((trak) => track(chunk, trak)).map((one) => [one.id, one]));
  return tracks.size ? { tracks, initBytes: moov.end } : null;
}

function track(chunk, trak) {
  const data = view(chunk);
  const mdia = child(chunk, trak, "mdia");
  // Version 0 of tkhd and mdhd: two 32-bit times stand before the field looked for.
  const id = data.getUint32(child(chunk, trak, "tkhd").start + 12);
  const timescale = data.getUint32(child(chunk, mdia, "mdhd").start + 12);
  const picture = fourcc(chunk, child(chunk, mdia, "hdlr").start + 8) === "vide";
  if (!timescale) throw new Unfit("a track without a timescale");
  return { id, timescale, picture, codec: codec(chunk, mdia) };
}

/** The track's codec as browsers are asked about it (RFC 6381). */
function codec(chunk, mdia) {
  const stbl = child(chunk, child(chunk, mdia, "minf"), "stbl");
  const entry = child(chunk, stbl, "stsd").start + 8;
  const kind = fourcc(chunk, entry + 4);
  if (kind === "fLaC") return "flac";
  if (!/^avc[13]$/.test(kind)) return kind;
  const avcc = entry + HEAD + 78 + HEAD; // behind the fields of a visual sample entry
  return `${kind}.${hex(chunk.subarray(avcc + 1, avcc + 4)).toUpperCase()}`;
}

/** `ftyp` and `moov` without padding, and with the tracks left out that `leftOut` says. */
export function initWithout(chunk, initBytes, leftOut) {
  const bytes = chunk.slice(0, initBytes);
  const moov = [...boxes(chunk, 0, initBytes)][1];
  const mvex = child(chunk, moov, "mvex");
  for (const box of [...boxes(chunk, moov.start, moov.end), ...boxes(chunk, mvex.start, mvex.end)]) {
    const gone =
      (box.kind === "trak" && leftOut.has(track(chunk, box).id)) ||
      (box.kind === "trex" && leftOut.has(view(chunk).getUint32(box.start + 4)));
    if (gone) free(bytes, box.start - 4);
  }
  return bytes;
}

/** Turn the box whose kind stands there into padding. */
export function free(bytes, at) {
  bytes.set([0x66, 0x72, 0x65, 0x65], at); // "free"
}

/**
 * The fragment that starts with a chunk: `{chunk, chunks, contentBytes, runs, startUs, endUs, sound, key}`; null where
 * the chunk only continues one, or holds none.
 */
export function parseFragment(chunk, number, tracks) {
  const runs = orNull(() => runsOf(chunk, tracks));
  if (!runs) return null;
  const data = view(chunk);
  const size = data.getUint32(0);
  const mdatBytes = data.getUint32(size);
  if (fourcc(chunk, size + 4) !== "mdat" || mdatBytes < HEAD) return null;
  const contentBytes = size + mdatBytes;
  const padding = contentBytes % CHUNK_BYTES === 0 ? 0 : LEAST_FREE_BYTES;
  return {
    chunk: number,
    chunks: Math.ceil((contentBytes + padding) / CHUNK_BYTES),
    contentBytes,
    runs,
    startUs: Math.floor(Math.min(...runs.map((run) => run.startUs)) / 1000) * 1000, // as the index has it
    endUs: Math.max(...runs.map((run) => run.endUs)),
    sound: runs.find((run) => !run.track.picture) ?? null,
    key: runs.some((run) => run.track.picture && run.key),
  };
}

function runsOf(chunk, tracks) {
  const data = view(chunk);
  const size = data.getUint32(0);
  if (fourcc(chunk, 4) !== "moof" || size <= HEAD || size > chunk.length - HEAD) return null;
  const inside = [...boxes(chunk, HEAD, size)];
  const asWritten = inside[0]?.kind === "mfhd" && inside.slice(1).every((box) => box.kind === "traf");
  return asWritten && inside.length > 1 ? inside.slice(1).map((traf) => run(chunk, data, traf, tracks)) : null;
}

function run(chunk, data, traf, tracks) {
  const [tfhd, tfdt, trun] = ["tfhd", "tfdt", "trun"].map((kind) => child(chunk, traf, kind).start);
  const of = tracks.get(data.getUint32(tfhd + 4));
  const count = data.getUint32(trun + 4);
  const asWritten =
    of && data.getUint32(tfhd) === 0x020000 && data.getUint32(tfdt) === 0x01000000 && data.getUint32(trun) === RUN_AS_WRITTEN;
  if (!asWritten || !count || child(chunk, traf, "trun").end - trun !== 12 + 12 * count) throw new Unfit("another way");
  let duration = 0;
  for (let line = 0; line < count; line += 1) duration += data.getUint32(trun + 12 + 12 * line);
  const start = u64(data, tfdt + 4);
  return {
    track: of,
    startUs: Math.floor((start * SECOND_US) / of.timescale),
    endUs: Math.floor(((start + duration) * SECOND_US) / of.timescale),
    key: (data.getUint32(trun + 12 + 8) & NOT_KEY) === 0,
    trafAt: traf.start - HEAD,
  };
}
