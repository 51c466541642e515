// Where sealed files go that are made here: into a folder that somebody chose, or to where the browser puts downloads. Each is
// written as it is made, and counted and digested on the way.

import { sha256 } from "@noble/hashes/sha2.js";
import { hex } from "../bytes.js";
import { ReaderError } from "../errors.js";

/** A folder, written into directly. `handle`: what showDirectoryPicker gave. */
export class Folder {
  #handle;

  constructor(handle) {
    this.#handle = handle;
  }

  /** Write a stream as a file; `{sizeBytes, sha256}`. A file that did not get its end is not left there. */
  async save(name, stream) {
    const { through, facts } = counting();
    if (await this.#has(name)) throw thereAlready(name);
    try {
      const file = await this.#handle.getFileHandle(name, { create: true });
      const sink = await file.createWritable(); // what is written counts only once it is closed
      await stream.pipeThrough(through).pipeTo(sink);
    } catch (problem) {
      await this.#handle.removeEntry(name).catch(() => null); // it may never have been there
      throw problem instanceof ReaderError ? problem : unwritable(name, problem);
    }
    return facts();
  }

  async #has(name) {
    return await this.#handle.getFileHandle(name).then(
      () => true,
      () => false,
    );
  }
}

/** The browser's downloads. */
export class Downloads {
  async save(name, stream) {
    const { through, facts } = counting();
    const blob = await new Response(stream.pipeThrough(through)).blob();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([blob], { type: "application/octet-stream" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has it by then
    return facts();
  }
}

/** Bytes as a stream of them. */
export const streamOf = (bytes) => new Response(bytes).body;

/** Whether somebody can choose a folder to write into. */
export const canChooseFolder = () => typeof window.showDirectoryPicker === "function";

/** The folder that somebody chose; null where they thought better of it. */
export async function chosenFolder() {
  try {
    return new Folder(await window.showDirectoryPicker({ id: "sotto-copies", mode: "readwrite" }));
  } catch (problem) {
    if (problem?.name === "AbortError") return null;
    throw unwritable("that folder", problem);
  }
}

function counting() {
  const digest = sha256.create();
  let sizeBytes = 0;
  const through = new TransformStream({
    transform(part, controller) {
      digest.update(part);
      sizeBytes += part.length;
      controller.enqueue(part);
    },
  });
  return { through, facts: () => ({ sizeBytes, sha256: hex(digest.digest()) }) };
}

const thereAlready = (name) =>
  new ReaderError("there already", `There is a file ${name} in that folder already.`, "Choose an empty folder: nothing is written over.");

const unwritable = (name, problem) =>
  new ReaderError("unwritable", `${name} cannot be written: ${problem?.message ?? problem}`, "Is there room, and may you write there?");
