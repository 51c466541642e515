// Where the header of an age file ends, and what it gives: the file key, and the place where the chunks begin.

import { MOST_HEADER_BYTES, isAge, isArmored } from "./keyring.js";
import { NONCE_BYTES } from "./chunks.js";
import { ReaderError, alteredHeader, notAge } from "../errors.js";

const MAC_LINE = /\n--- [A-Za-z0-9+/]{43}\n/;

/**
 * The header at the start of some bytes, or null where they end before it does. Throws where it can be none.
 */
export function headerIn(bytes) {
  if (isArmored(bytes)) {
    throw new ReaderError("armored", "This is a sealed file in letters.", "Turn it into a binary one first.");
  }
  if (bytes.length >= 19 && !isAge(bytes)) throw notAge();
  const found = MAC_LINE.exec(new TextDecoder("latin1").decode(bytes.subarray(0, MOST_HEADER_BYTES)));
  if (found) return bytes.subarray(0, found.index + found[0].length);
  if (bytes.length >= MOST_HEADER_BYTES) throw alteredHeader();
  return null;
}

/** Where the chunks begin, behind the header and the nonce. */
export const payloadOffset = (header) => header.length + NONCE_BYTES;
