// A sealed recording that is read in places: its tracks, its index if it is whole, and any of its fragments. Opening it
// reads two parts of the file at once: the header with the first chunk, and the end, which proves the size and holds the
// end mark. Nothing that was not authenticated at its place is ever given out.

import { sha256 } from "@noble/hashes/sha2.js";
import { CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, chunkOpener, payloadKey } from "../age/chunks.js";
import { headerIn, payloadOffset } from "../age/header.js";
import { MOST_HEADER_BYTES } from "../age/keyring.js";
import { concat, fourcc, hex } from "../bytes.js";
import { alteredHeader, cutFile, damagedChunk, notARecording, unknownWriting } from "../errors.js";
import { clock } from "../times.js";
import { parseFragment, parseInit } from "./fragments.js";
import { parseIndex } from "./index.js";

export const CLOSING_BYTES = 8;
const SEALED_CLOSING_BYTES = CLOSING_BYTES + TAG_BYTES;
const TAIL_BYTES = SEALED_CHUNK_BYTES + SEALED_CLOSING_BYTES;
export const BATCH_CHUNKS = 16;
const RECENT_CHUNKS = 32; // 2 MiB: what looking for a place has read is not read again when it is played

/**
 * Open what a source holds. A source is `{sizeBytes, read(start, length), stream(start, length, signal)}`: the bytes of
 * the sealed file, all of those asked for or a ReaderError.
 */
export async function openRecording(source, keyring) {
  const beginning = readHead(source);
  const ending = readTail(source);
  ending.catch(() => null); // it is waited for below
  const { header, head } = await beginning;
  const fileKey = await keyring.fileKey(header);
  const offset = payloadOffset(header);
  const cipher = await chunkOpener(payloadKey(fileKey, head.subarray(header.length, offset)));
  const recording = new Recording(source, cipher, header, offset);
  await recording.begin(head, await ending);
  return recording;
}

/**
 * The header and the first chunk. A whole recording is a header, whole chunks and a closing, so its size tells how long
 * the header is, and not a byte more is asked for; of any other file the rest is asked for once that shows.
 */
async function readHead(source) {
  const rest = (source.sizeBytes - SEALED_CLOSING_BYTES) % SEALED_CHUNK_BYTES;
  let length = Math.min((rest > 0 ? rest : 0) + SEALED_CHUNK_BYTES, source.sizeBytes);
  for (;;) {
    const head = await source.read(0, length);
    const header = headerIn(head);
    const wanted = header ? Math.min(payloadOffset(header) + SEALED_CHUNK_BYTES, source.sizeBytes) : source.sizeBytes;
    if (header && head.length >= wanted) return { header, head };
    if (length >= source.sizeBytes) throw alteredHeader();
    length = header ? wanted : Math.min(length + MOST_HEADER_BYTES, source.sizeBytes);
  }
}

async function readTail(source) {
  const length = Math.min(TAIL_BYTES, source.sizeBytes);
  return await source.read(source.sizeBytes - length, length);
}

/** Chunks are numbered from 0; fragments lie in 1 … `fragmentsEnd` - 1. Made by `openRecording` alone. */
class Recording {
  #source;
  #cipher;
  #offset;
  #recent = new Map();
  #coming = new Map();

  constructor(source, cipher, header, offset) {
    this.#source = source;
    this.#cipher = cipher;
    this.#offset = offset;
    this.header = header;
    this.sizeBytes = source.sizeBytes;
    this.chunks = Math.ceil((source.sizeBytes - offset) / SEALED_CHUNK_BYTES) - 1;
  }

  async begin(head, tail) {
    const closingBytes = this.sizeBytes - this.#offset - this.chunks * SEALED_CHUNK_BYTES;
    if (this.chunks < 0 || closingBytes < TAG_BYTES) throw cutFile();
    const closing = await this.#cipher.open(this.chunks, tail.subarray(tail.length - closingBytes), true);
    if (!closing) throw this.chunks < 1 ? alteredHeader() : cutFile();
    if (this.chunks < 1 || closing.length !== CLOSING_BYTES || fourcc(closing, 4) !== "free") throw notARecording();
    const first = await this.#open(0, head.subarray(this.#offset, this.#offset + SEALED_CHUNK_BYTES));
    const init = parseInit(first);
    if (!init) throw notARecording();
    Object.assign(this, init, { first });
    const last = this.chunks - 1;
    this.index = last < 1 ? null : parseIndex(await this.#lastChunk(last, tail));
    this.fragmentsEnd = this.chunks - (this.index ? 1 : 0);
    this.durationUs = await this.#duration();
    // SHA-256 of everything before the first chunk, and of what stands behind the last, as the manifest has them.
    this.headerDigest = hex(sha256(head.subarray(0, this.#offset)));
    this.closingDigest = hex(sha256(tail.subarray(tail.length - closingBytes)));
  }

  async #lastChunk(last, tail) {
    const end = tail.length - SEALED_CLOSING_BYTES;
    return await this.#open(last, tail.subarray(end - SEALED_CHUNK_BYTES, end));
  }

  /** What the end mark says, or else how far the last fragment reaches. */
  async #duration() {
    if (this.index) return this.index.durationUs;
    if (this.fragmentsEnd < 2) return 0;
    return (await this.fragmentOver(this.fragmentsEnd - 1, 1)).endUs;
  }

  get hasPicture() {
    return [...this.tracks.values()].some((track) => track.picture);
  }

  /** Whether the box said that this is all of it. */
  get complete() {
    return this.index !== null;
  }

  /** The plaintext of a chunk, 64 KiB of it. `reachedUs`: the moment up to which all was well, if that is known. */
  async chunk(number, reachedUs) {
    const known = this.#recent.get(number) ?? this.#coming.get(number);
    if (known) return await known;
    const sealed = await this.#source.read(this.#at(number), SEALED_CHUNK_BYTES);
    return await this.#open(number, sealed, reachedUs);
  }

  /**
   * Have the chunks `first` … `end` - 1 brought (BATCH_CHUNKS of them at most) by one request, each to be had from
   * `chunk` as soon as it has come. What goes wrong comes out there.
   */
  fetch(first, end, { signal, reachedUs } = {}) {
    const wanted = Array.from({ length: Math.min(end - first, BATCH_CHUNKS) }, (_, line) => first + line);
    while (wanted.length && this.#has(wanted[0])) wanted.shift();
    const known = wanted.findIndex((number) => this.#has(number));
    if (known > 0) wanted.length = known;
    if (!wanted.length) return;
    const promised = wanted.map((number) => {
      const one = Promise.withResolvers();
      one.promise.catch(() => null); // whoever asks for the chunk is told
      this.#coming.set(number, one.promise);
      return { number, ...one };
    });
    this.#bring(promised, signal, reachedUs);
  }

  async #bring(promised, signal, reachedUs) {
    const { number: first } = promised[0];
    let at = 0;
    try {
      for await (const sealed of whole(this.#source.stream(this.#at(first), promised.length * SEALED_CHUNK_BYTES, signal))) {
        const { number, resolve, reject } = promised[at];
        await this.#open(number, sealed, reachedUs?.()).then(resolve, reject);
        this.#coming.delete(number);
        at += 1;
      }
      signal?.throwIfAborted();
    } catch (problem) {
      for (const { number, reject } of promised.slice(at)) {
        this.#coming.delete(number);
        reject(problem);
      }
    }
  }

  #has(number) {
    return this.#recent.has(number) || this.#coming.has(number);
  }

  /** The fragment that starts with a chunk. */
  async fragmentAt(number, reachedUs) {
    const found = parseFragment(await this.chunk(number, reachedUs), number, this.tracks);
    if (!found || found.chunk + found.chunks > this.fragmentsEnd) throw unknownWriting(number);
    return found;
  }

  /** The fragment that a chunk belongs to, where one is known to start at `first` or later. */
  async fragmentOver(number, first) {
    for (let at = number; at > first; at -= 1) {
      const found = parseFragment(await this.chunk(at), at, this.tracks);
      if (found) return found;
    }
    return await this.fragmentAt(first);
  }

  #at(number) {
    return this.#offset + number * SEALED_CHUNK_BYTES;
  }

  async #open(number, sealed, reachedUs) {
    const plaintext = await this.#cipher.open(number, sealed, false);
    if (!plaintext || plaintext.length !== CHUNK_BYTES) {
      throw damagedChunk(number, reachedUs === undefined ? undefined : clock(reachedUs));
    }
    this.#recent.set(number, plaintext);
    if (this.#recent.size > RECENT_CHUNKS) this.#recent.delete(this.#recent.keys().next().value);
    return plaintext;
  }
}

/** The sealed chunks in a stream of bytes, each as soon as all of it is there. */
async function* whole(stream) {
  let held = [];
  let size = 0;
  for await (const part of stream) {
    held.push(part);
    size += part.length;
    if (size < SEALED_CHUNK_BYTES) continue;
    const bytes = held.length === 1 ? held[0] : concat(held);
    const end = size - (size % SEALED_CHUNK_BYTES);
    for (let at = 0; at < end; at += SEALED_CHUNK_BYTES) yield bytes.subarray(at, at + SEALED_CHUNK_BYTES);
    held = [bytes.subarray(end)];
    size -= end;
  }
}
