// All of a recording in the plain, from its first byte to its last, as `age -d` gives it; for sealing it anew.

import { BATCH_CHUNKS } from "../recording/recording.js";
import { CLOSING } from "./clip.js";

/** Its chunks one by one, each authenticated, and the closing. */
export async function* wholePlaintext(recording, { progress = () => {}, signal = null } = {}) {
  for (let number = 0; number < recording.chunks; number += 1) {
    signal?.throwIfAborted();
    if (number % BATCH_CHUNKS === 0) recording.fetch(number, recording.chunks, { signal });
    yield await recording.chunk(number);
    progress(number + 1, recording.chunks);
  }
  yield CLOSING;
}
