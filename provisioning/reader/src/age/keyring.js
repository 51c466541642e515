// The keys of whoever reads: identities, and passphrases of files that are sealed by one. They are in memory alone, and
// gone with the page. What is opened with them is asked for by name; nothing here talks to anybody.

import { Decrypter, armor, identityToRecipient } from "age-encryption";
import { utf8, text } from "../bytes.js";
import { ReaderError, alteredHeader, notAge, wrongKey, wrongPassphrase } from "../errors.js";

const IDENTITY = /^AGE-SECRET-KEY-(PQ-)?1[A-Z0-9]+$/;
const ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----";
export const MOST_HEADER_BYTES = 256 * 1024;

export class Keyring {
  #identities = [];
  #passphrases = [];

  /** Take in the identities of an identity file, as age-keygen writes it. */
  addIdentities(file) {
    const found = identitiesIn(file);
    new Decrypter().addIdentity(found[0]);
    this.#identities.push(...found);
  }

  addPassphrase(passphrase) {
    this.#passphrases.push(passphrase);
  }

  get empty() {
    return this.#identities.length + this.#passphrases.length === 0;
  }

  /** The public halves of the identities. */
  recipients() {
    return Promise.all(this.#identities.map(identityToRecipient));
  }

  /** The file key of a header. Throws wrongKey or alteredHeader; a file sealed by passphrase is asked for one. */
  async fileKey(header) {
    const decrypter = this.#decrypter({ passphrases: isByPassphrase(header) });
    return await orInWords(() => decrypter.decryptHeader(header), header);
  }

  /**
   * What a small sealed file says: an attachment, or a challenge. No passphrase is ever tried here: what comes from
   * elsewhere must not have the reader work for it.
   */
  async open(sealed) {
    const decrypter = this.#decrypter({ passphrases: false });
    return await orInWords(() => decrypter.decrypt(sealed), sealed);
  }

  #decrypter({ passphrases }) {
    const decrypter = new Decrypter();
    for (const identity of this.#identities) decrypter.addIdentity(identity);
    if (passphrases) for (const passphrase of this.#passphrases) decrypter.addPassphrase(passphrase);
    return decrypter;
  }
}

/** The identities in the text of an identity file; throws ReaderError where there are none. */
export function identitiesIn(file) {
  const lines = file.split("\n").map((line) => line.trim());
  const found = lines.filter((line) => IDENTITY.test(line));
  if (found.length === 0 || lines.some((line) => line && !line.startsWith("#") && !IDENTITY.test(line))) {
    throw new ReaderError("not a key", "There is no key in this file.", "Choose your kit, or your identity file.");
  }
  return found;
}

/** What a passphrase opens: an age file, armored or not. */
export async function openByPassphrase(sealed, passphrase) {
  const binary = isArmored(sealed) ? armor.decode(text(sealed)) : sealed;
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return await orInWords(() => decrypter.decrypt(binary), binary);
}

export const isArmored = (bytes) => startsWith(bytes, ARMOR);
export const isAge = (bytes) => startsWith(bytes, "age-encryption.org/");
export const isByPassphrase = (header) => /\n-> scrypt /.test(new TextDecoder("latin1").decode(header.subarray(0, 200)));

function startsWith(bytes, words) {
  const wanted = utf8(words);
  return bytes.length >= wanted.length && wanted.every((byte, at) => bytes[at] === byte);
}

async function orInWords(open, header) {
  if (!isAge(header)) throw notAge();
  try {
    return await open();
  } catch (problem) {
    const said = String(problem?.message);
    if (said.startsWith("no identity matched")) throw isByPassphrase(header) ? wrongPassphrase() : wrongKey();
    if (said.includes("work factor")) throw tooMuchWork();
    throw alteredHeader();
  }
}

const tooMuchWork = () =>
  new ReaderError(
    "too much work",
    "To open this file would take more memory than a browser has.",
    "Do not open it, unless you know who sealed it.",
  );
