// The sealed bytes of a recording on a box, in ranges. The box is not trusted: what comes is counted, and one byte too
// many, too few, or from elsewhere ends the reading. What it holds at first is what it has to hold to the end (ETag).

import { concat } from "../bytes.js";
import { changedThere } from "../box/answers.js";
import { sideBySide } from "../box/connection.js";

export class BoxSource {
  #box;
  #path;
  #etag = null;

  constructor(box, entry) {
    this.#box = box;
    this.#path = `recordings/${entry.id}/session.mp4.age`;
    this.name = entry.id;
    this.sizeBytes = entry.size_bytes;
  }

  async read(start, length) {
    const parts = [];
    for await (const part of this.stream(start, length)) parts.push(part);
    return concat(parts);
  }

  async *stream(start, length, signal) {
    const headers = { Range: `bytes=${start}-${start + length - 1}` }; // and no If-Range: see Box.ask; the answer is checked
    const answer = await this.#box.ask(sideBySide(this.#path), { headers, signal });
    this.#check(answer, start, length);
    try {
      yield* this.#box.body(answer, length, signal);
    } finally {
      if (signal?.aborted) this.#box.warm({ again: true }); // what is broken off takes its connection with it
    }
  }

  #check(answer, start, length) {
    const etag = answer.headers.get("ETag");
    if (this.#etag && etag !== this.#etag) throw changedThere();
    const wanted = `bytes ${start}-${start + length - 1}/${this.sizeBytes}`;
    if (answer.status !== 206 && answer.status !== 200) throw this.#box.refusal(answer.status);
    if (answer.status !== 206 || answer.headers.get("Content-Range") !== wanted) throw changedThere();
    this.#etag = etag;
  }
}
