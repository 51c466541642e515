// A person's kit (docs/kit.md): which boxes there are, who can be sealed to, and the person's identity, locked. It is made by
// `sotto-clinic kit`, and read as strictly here as there.

import { ReaderError } from "./errors.js";
import { list, maybe, object, parsed, is, text, whole } from "./shape.js";

export const MOST_KIT_BYTES = 4 << 20;
const MANY = 1000;
const word = text({ least: 1, most: 60 });
const mark = text({ least: 12, most: 12, pattern: /^[0-9a-f]{12}$/ });
const short = text({ least: 1, most: 40, pattern: /^[a-z0-9][a-z0-9-]*$/ });
const recipient = text({ least: 10, most: 3000, pattern: /^age1[a-z0-9]+$/ });
const roles = list(text({ least: 1, most: 20 }), { least: 1, most: 3 });
const address = text({ least: 8, most: 300, pattern: /^https?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/ });

const deviceKey = text({ least: 16, most: 16, pattern: /^[0-9a-f]{16}$/ });
const NONE = Object.freeze([]);
const item = object({ id: short, text: text({ least: 1, most: 2000 }), least: whole(), most: whole() });
const SHAPE = object(
  {
    sotto_kit: is(1),
    person: object({ mark, login: text({ least: 1, most: 200 }), name: word, roles, recipient }),
    identity: text({ least: 1, most: 64 * 1024 }),
    boxes: list(object({ name: word, address, device_key: deviceKey, former_keys: list(deviceKey, { most: 10 * MANY }) }, { former_keys: NONE }), { most: MANY }),
    former_keys: list(deviceKey, { most: 10 * MANY }),
    people: list(object({ mark, name: word, roles, recipient }), { most: MANY }),
    tags: list(word, { most: 200 }),
    rubric: maybe(object({ id: short, title: word, items: list(item, { least: 1, most: 100 }) })),
  },
  { tags: NONE, rubric: null, former_keys: NONE },
);

/** The kit in some bytes. Throws ReaderError: it is none, or a box's address is none that may be spoken to. */
export function readKit(bytes) {
  let kit;
  try {
    kit = parsed(SHAPE, bytes, { called: "the kit", mostBytes: MOST_KIT_BYTES });
  } catch (problem) {
    throw new ReaderError("not a kit", `This is no kit: ${problem.message}.`, "Choose your .kit.json, or ask your clinic for it.");
  }
  for (const box of kit.boxes) {
    if (!mayBeSpokenTo(box.address)) {
      throw new ReaderError(
        "not a kit",
        `The kit has ${box.name} at an address without https, so whoever listens could sign in as you.`,
        "Ask your clinic for a new kit.",
      );
    }
  }
  return kit;
}

/** By https; by http this very computer alone. */
export function mayBeSpokenTo(origin) {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Where the page may send anything at all: to the kit's boxes. */
export const origins = (kit) => [...new Set(kit.boxes.map((box) => new URL(box.address).origin))];
