// One chunk of an age payload at a time (c2sp.org/age, "Payload"): ChaCha20-Poly1305 under the payload key, with the
// chunk's number and whether it is the last as its nonce. So every chunk opens on its own, and only at its own place.

import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "../bytes.js";

export const CHUNK_BYTES = 65_536;
export const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
export const NONCE_BYTES = 16;

export function payloadKey(fileKey, nonce) {
  return hkdf(sha256, fileKey, nonce, utf8("payload"), 32);
}

export function chunkNonce(number, last) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, number); // 11 bytes, big-endian: no recording has 2^32 chunks
  nonce[11] = last ? 1 : 0;
  return nonce;
}

/**
 * What opens chunks: `open(number, sealed, last)` gives the plaintext, or null where the chunk is not what was sealed
 * at that place. WebCrypto does it where the browser has the cipher, away from the page's own thread.
 */
export async function chunkOpener(key) {
  const ours = {
    native: false,
    async open(number, sealed, last) {
      try {
        return chacha20poly1305(key, chunkNonce(number, last)).decrypt(sealed);
      } catch {
        return null;
      }
    },
  };
  const name = "ChaCha20-Poly1305";
  let native;
  try {
    native = await crypto.subtle.importKey("raw-secret", key, { name }, false, ["decrypt"]);
  } catch {
    return ours; // Firefox does not know the cipher, nor does an older Chromium
  }
  return {
    native: true,
    async open(number, sealed, last) {
      try {
        return new Uint8Array(await crypto.subtle.decrypt({ name, iv: chunkNonce(number, last) }, native, sealed));
      } catch {
        return null;
      }
    },
  };
}
