// The fragments of a slice, one after the other, with their bytes: brought a batch of chunks at a time.

import { concat } from "../bytes.js";
import { BATCH_CHUNKS } from "../recording/recording.js";

/** `{fragment, content}` from `first` on, up to the first that starts at or after `toUs`. `progress(done, of)` in chunks. */
export async function* walk(recording, first, { toUs, progress, signal }) {
  const bound = Math.max(boundOf(recording, toUs), first.chunk + first.chunks);
  let [fragment, fetched] = [first, first.chunk];
  for (;;) {
    if (fragment.chunk + fragment.chunks > fetched) {
      fetched = Math.max(fetched, fragment.chunk);
      recording.fetch(fetched, bound, { signal });
      fetched += BATCH_CHUNKS;
    }
    const following = fragment.chunk + fragment.chunks;
    yield { fragment, content: await contentOf(recording, fragment) };
    progress(Math.min(following, bound) - first.chunk, bound - first.chunk);
    signal?.throwIfAborted();
    if (following >= bound) return;
    fragment = await recording.fragmentAt(following, fragment.endUs);
    if (fragment.startUs >= toUs) return;
  }
}

/** The first chunk that surely is not needed. */
function boundOf(recording, toUs) {
  return recording.index?.entries.find((entry) => entry.startUs >= toUs)?.chunk ?? recording.fragmentsEnd;
}

// A copy, padding and all: what is done to it must not be done to what is kept for the next reading.
async function contentOf(recording, { chunk, chunks, startUs }) {
  const parts = [];
  for (let number = chunk; number < chunk + chunks; number += 1) parts.push(await recording.chunk(number, startUs));
  return concat(parts);
}
