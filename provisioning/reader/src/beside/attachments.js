// What lies beside a recording, on a box or in a folder alike: names first, and what is in them only when it is asked for.

import { ReaderError } from "../errors.js";
import { parseReview } from "../review/document.js";
import { ShapeError } from "../shape.js";
import { parseLabel, parseMeasure, parseNote } from "./documents.js";

const MOST_SEALED_BYTES = 128 * 1024;
const NUMBERED = /^(note|measure|clip|review)-([0-9]{3})\.age$/;
const PARSE = { label: parseLabel, note: parseNote, measure: parseMeasure, review: parseReview };

/** `[{name, kind, sizeBytes, read()}]`, in the order of their names; what has another name is none. */
export async function attachmentsOf({ box, entry, beside }) {
  const found = box ? await onBox(box, entry.id) : beside.map(inFolder);
  const known = found.map((one) => ({ ...one, kind: kindOf(one.name) })).filter((one) => one.kind !== null);
  return known.sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function onBox(box, id) {
  const listed = await box.attachments(id);
  return listed.map(({ name, size_bytes: sizeBytes }) => ({ name, sizeBytes, read: () => box.attachment(id, name, sizeBytes) }));
}

function inFolder(file) {
  return { name: file.name, sizeBytes: file.size, read: async () => new Uint8Array(await file.arrayBuffer()) };
}

function kindOf(name) {
  return name === "label.age" ? "label" : (NUMBERED.exec(name)?.[1] ?? null);
}

/**
 * What some attachments say: `{said: [{name, kind, document}], unopened: [{name, kind, problem}]}`. One that does not open, or
 * is not what its name says, keeps nobody from the others; a box that cannot be asked does (it is thrown).
 */
export async function openAll(attachments, keyring) {
  const [said, unopened] = [[], []];
  for (const one of attachments.filter(({ kind }) => Object.hasOwn(PARSE, kind))) {
    const sealed = one.sizeBytes > MOST_SEALED_BYTES ? null : await one.read();
    try {
      if (sealed === null) throw tooLarge(one.name);
      said.push({ name: one.name, kind: one.kind, document: PARSE[one.kind](await keyring.open(sealed)) });
    } catch (problem) {
      if (!(problem instanceof ReaderError) && !(problem instanceof ShapeError)) throw problem;
      unopened.push({ name: one.name, kind: one.kind, problem: inWords(problem, one.name) });
    }
  }
  return { said, unopened };
}

const inWords = (problem, name) => (problem instanceof ShapeError ? strange(name) : problem);

const tooLarge = (name) =>
  new ReaderError("strange attachment", `${name} is far larger than anything that belongs there.`, "Leave it alone.");

const strange = (name) =>
  new ReaderError("strange attachment", `${name} opens, and is not what its name says.`, "Ask whoever put it there.");
