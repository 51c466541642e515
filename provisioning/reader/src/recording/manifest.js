// The manifest: what the box says of a recording, and signed. The signature is over the payload as canonical JSON, so
// its numbers are kept letter for letter as they came: JavaScript would write -23.0 as -23 (device/recording/signing.py).

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { fromBase64, hex, utf8 } from "../bytes.js";
import { ReaderError } from "../errors.js";

const FORMAT = "sotto recording 1";
const TOKEN = /[ \t\r\n]*("(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null|[{}[\]:,])/y;
const MOST_DEPTH = 40;

export const unsigned = () =>
  new ReaderError(
    "altered manifest",
    "The manifest beside this recording was changed after the box signed it.",
    "Trust nothing in it. Fetch the recording again, or take another copy.",
  );

/**
 * What a manifest says: `{facts, fingerprint}`. The fingerprint is that of the key that signed it; whether that is a box
 * of one's own remains to be judged. Throws ReaderError where it is none or its signature does not hold.
 */
export async function readManifest(document) {
  const { payload, fingerprint } = await readSigned("manifest", document, unsigned);
  if (payload?.format !== FORMAT) throw unsigned();
  return { facts: payload, fingerprint };
}

/** `{payload, fingerprint}` of a signed document of that kind; throws what `refused` gives where it is none. */
export async function readSigned(kind, document, refused) {
  let parsed, payload;
  try {
    parsed = JSON.parse(document);
    payload = canonicalMember(document, "payload");
  } catch {
    throw refused();
  }
  const [key, signature] = [fromBase64(parsed?.key), fromBase64(parsed?.signature)];
  if (!payload || key?.length !== 32 || signature?.length !== 64) throw refused();
  const held = await holds(signature, utf8(`sotto ${kind} v1\n${payload}`), key);
  if (!held) throw refused();
  return { payload: parsed.payload, fingerprint: fingerprint(key) };
}

/** Whether a signature holds; by WebCrypto where the browser knows Ed25519, which is sooner. */
async function holds(signature, signed, key) {
  try {
    const known = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, known, signature, signed);
  } catch (problem) {
    if (problem?.name !== "NotSupportedError") return false; // not a point of the curve
  }
  try {
    return ed25519.verify(signature, signed, key, { zip215: false });
  } catch {
    return false;
  }
}

/** The first 16 hexadecimal digits of a key's SHA-256: what people compare. */
export const fingerprint = (key) => hex(sha256(key)).slice(0, 16);

/** One member of a JSON object as canonical JSON: sorted keys, no spaces, numbers as they stand. */
export function canonicalMember(document, name) {
  const tokens = tokenize(document);
  const members = value(tokens, 0);
  if (tokens.length !== 0 || !(members instanceof Map)) throw new SyntaxError("not one object");
  return members.has(name) ? write(members.get(name)) : null;
}

function tokenize(document) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let match; (match = TOKEN.exec(document)); ) found.push(match[1]);
  if (found.length === 0) throw new SyntaxError("no JSON");
  return found.reverse(); // so that the next one is popped
}

function value(tokens, depth) {
  if (depth > MOST_DEPTH) throw new SyntaxError("too deep");
  const token = tokens.pop();
  if (token === "{") return members(tokens, depth);
  if (token === "[") return elements(tokens, depth);
  if (token === undefined || /^[}\]:,]$/.test(token)) throw new SyntaxError("no value");
  return token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : token;
}

function members(tokens, depth) {
  const found = new Map();
  if (tokens.at(-1) === "}") return void tokens.pop() ?? found;
  for (;;) {
    const name = JSON.parse(tokens.pop());
    if (typeof name !== "string" || tokens.pop() !== ":" || found.has(name)) throw new SyntaxError("no member");
    found.set(name, value(tokens, depth + 1));
    const next = tokens.pop();
    if (next === "}") return found;
    if (next !== ",") throw new SyntaxError("no end");
  }
}

function elements(tokens, depth) {
  const found = [];
  if (tokens.at(-1) === "]") return void tokens.pop() ?? found;
  for (;;) {
    found.push(value(tokens, depth + 1));
    const next = tokens.pop();
    if (next === "]") return found;
    if (next !== ",") throw new SyntaxError("no end");
  }
}

function write(of) {
  if (Array.isArray(of)) return `[${of.map(write).join(",")}]`;
  if (!(of instanceof Map)) return of;
  const names = [...of.keys()].sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${write(of.get(name))}`).join(",")}}`;
}
