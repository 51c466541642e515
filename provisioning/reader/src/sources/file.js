// A sealed file that the person chose. Only what is asked for is read from it, however long it is.

import { ReaderError } from "../errors.js";

const PIECE_BYTES = 1 << 20;

export class FileSource {
  #file;

  constructor(file) {
    this.#file = file;
    this.name = file.name;
    this.sizeBytes = file.size;
  }

  async read(start, length) {
    let bytes;
    try {
      bytes = new Uint8Array(await this.#file.slice(start, start + length).arrayBuffer());
    } catch {
      throw gone(this.name);
    }
    if (bytes.length !== length) throw gone(this.name);
    return bytes;
  }

  async *stream(start, length, signal) {
    for (let at = start; at < start + length && !signal?.aborted; at += PIECE_BYTES) {
      yield await this.read(at, Math.min(PIECE_BYTES, start + length - at));
    }
  }
}

const gone = (name) =>
  new ReaderError(
    "gone",
    `${name} cannot be read any more.`,
    "It was changed, moved or taken out since you chose it. Choose it again.",
  );
