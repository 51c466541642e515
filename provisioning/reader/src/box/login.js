// What is answered to a box that wants to know whose reader this is. A program that opens whatever it is handed is
// everybody's tool: so nothing is answered but what has the one shape of a challenge, is no longer than one can be, and
// names the very box that was meant (docs/api.md; the same rules as provisioning/key_login.py).

import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, hex } from "../bytes.js";
import { ReaderError } from "../errors.js";

const MOST_SEALED_BYTES = 8 * 1024;
const CHALLENGE = /^sotto-login:v1:([0-9a-f]{16}):[A-Za-z0-9_-]{22,128}$/;
const NOTHING_TOLD = "Find out what is behind that address before you try again; nothing was told to it.";

const refused = (what, hint = NOTHING_TOLD) => new ReaderError("refused challenge", what, hint);

/** The answer to a sealed challenge (base64), in hexadecimal; `device` is the fingerprint of the box that was meant. */
export async function answerTo(sealed, keyring, device) {
  const bytes = sealed.length > 2 * MOST_SEALED_BYTES ? null : fromBase64(sealed);
  if (!bytes || bytes.length > MOST_SEALED_BYTES) throw refused("What the box sent is no challenge, so it was not answered.");
  const opened = await keyring.open(bytes);
  const words = new TextDecoder("latin1").decode(opened);
  const found = CHALLENGE.exec(words);
  if (!found || words.length !== opened.length) {
    throw refused("What the box sent is no challenge, so it was not answered.");
  }
  if (found[1] !== device.toLowerCase()) {
    throw refused(
      "The challenge is that of another box, so it was not answered.",
      "Ask your clinic for a new kit; if its device key is right, something stands between you and the box.",
    );
  }
  return hex(sha256(opened));
}
