// Sealing in the reader: small documents to people, whole streams to people or by a passphrase. All of it is what stock age
// writes; the file key is new each time, and is forgotten with it.

import { Encrypter } from "age-encryption";

import { ReaderError } from "../errors.js";

const POST_QUANTUM = "age1pq1";
const LEAST_PASSPHRASE_LETTERS = 12;

/** An encrypter for these recipients. Throws ReaderError: there is none, or they cannot be in one file together. */
export function toRecipients(recipients) {
  const chosen = [...new Set(recipients)];
  if (chosen.length === 0) throw new ReaderError("nobody", "Nobody is chosen to read it.", "Choose one person at least.");
  const quantum = chosen.filter((one) => one.startsWith(POST_QUANTUM)).length;
  if (quantum !== 0 && quantum !== chosen.length) {
    throw new ReaderError(
      "mixed keys",
      "Some of those chosen have a classic key and some a post-quantum one. One file cannot be for both.",
      "Save it once for the ones and once for the others, or have the classic keys replaced.",
    );
  }
  const encrypter = new Encrypter();
  for (const recipient of chosen) encrypter.addRecipient(recipient);
  return encrypter;
}

/** An encrypter by passphrase (scrypt). Throws ReaderError where it could be guessed. */
export function byPassphrase(passphrase) {
  if ([...passphrase].length < LEAST_PASSPHRASE_LETTERS) {
    throw new ReaderError("short passphrase", "That passphrase is too short.", "Take the one that is made for you.");
  }
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return encrypter;
}

/**
 * A small document sealed to people: one age file, or two where some have classic keys and some post-quantum ones, so that
 * nobody is left out and no file is weaker than its strongest reader's key.
 */
export async function sealForEach(bytes, recipients) {
  const kinds = [(one) => one.startsWith(POST_QUANTUM), (one) => !one.startsWith(POST_QUANTUM)];
  const groups = kinds.map((kind) => recipients.filter(kind)).filter((group) => group.length > 0);
  return await Promise.all(groups.map((group) => toRecipients(group).encrypt(bytes)));
}

/**
 * Sealed as it comes: an async iterable of plaintext in, a stream of one age file out. An error of the one ends the other
 * before its last chunk, so what was written by then never looks whole.
 */
export async function sealStream(plaintext, encrypter) {
  const pieces = plaintext[Symbol.asyncIterator]();
  const stream = new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = await pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await pieces.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return encrypter.encrypt(stream);
}
