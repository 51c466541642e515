// What is made for others: moments as they are typed, passphrases, release notes, end marks, and where files go.

import assert from "node:assert/strict";
import { test } from "node:test";

import { parseIndex } from "../../../provisioning/reader/src/recording/index.js";
import { byPassphrase, sealForEach, sealStream, toRecipients } from "../../../provisioning/reader/src/review/sealing.js";
import { within } from "../../../provisioning/reader/src/share/clip.js";
import { endMark, padded } from "../../../provisioning/reader/src/share/endmark.js";
import { momentUs } from "../../../provisioning/reader/src/share/moments.js";
import { madeUp } from "../../../provisioning/reader/src/share/passphrase.js";
import { agreed, releaseFiles } from "../../../provisioning/reader/src/share/release.js";
import { ticksOf, usOf } from "../../../provisioning/reader/src/share/samples.js";
import { Folder, streamOf } from "../../../provisioning/reader/src/share/saving.js";

const CLASSIC = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
const TOLD = { who: "client A-04", on: "2026-11-20", by: "Ada", revocable: "at any time" };

test("a moment is written as people write it, and anything else is told", () => {
  const good = { "4:05": 245, "1:02:03": 3723, 90: 90, "0:00.5": 0.5, " 12:00 ": 720, "75:10": 4510 };
  for (const [text, seconds] of Object.entries(good)) assert.equal(momentUs(text), seconds * 1e6, text);
  for (const text of ["", "soon", "4:65", "1:75:00", "-1", "1:2:3:4", "4:05:"]) {
    assert.throws(
      () => momentUs(text),
      (problem) => problem.kind === "no moment",
      text,
    );
  }
});

test("a passphrase that is made up has six groups of four letters, none like another on paper, and is never the same", () => {
  const made = new Set(Array.from({ length: 200 }, madeUp));
  assert.equal(made.size, 200);
  for (const one of made) assert.match(one, /^([abcdefghjkmnpqrstuvwxyz2-9]{4}-){5}[abcdefghjkmnpqrstuvwxyz2-9]{4}$/);
  assert.equal(new Set([...made].join("").replaceAll("-", "")).size, 31, "every letter comes");
});

test("a passphrase that could be guessed seals nothing, and neither does nobody", () => {
  assert.throws(
    () => byPassphrase("elevenchars"),
    (problem) => problem.kind === "short passphrase",
  );
  assert.throws(
    () => toRecipients([]),
    (problem) => problem.kind === "nobody",
  );
  assert.throws(
    () => toRecipients([CLASSIC, "age1pq1x"]),
    (problem) => problem.kind === "mixed keys",
  );
});

test("somebody who is chosen twice is in the header once", async () => {
  const [sealed, ...more] = await sealForEach(Uint8Array.of(1), [CLASSIC, CLASSIC]);
  assert.equal(more.length, 0);
  assert.equal(new TextDecoder("latin1").decode(sealed).match(/\n-> X25519 /g).length, 1);
});

test("a stream whose source fails is never a whole file", async () => {
  async function* broken() {
    yield new Uint8Array(65_536);
    throw new Error("chunk 1 is not what was sealed");
  }
  const sealed = await sealStream(broken(), toRecipients([CLASSIC]));
  await assert.rejects(new Response(sealed).arrayBuffer(), /chunk 1/);
});

test("a copy leaves with everything of its note, or not at all", () => {
  for (const missing of ["who", "on", "by", "revocable"]) {
    assert.throws(
      () => agreed({ ...TOLD, [missing]: " " }),
      (problem) => problem.kind === "incomplete release",
      missing,
    );
  }
  assert.throws(
    () => agreed({ ...TOLD, who: "A\nRevocable:   never" }),
    (problem) => problem.kind === "incomplete release",
  );
  const files = { "recording.mp4.age": { sizeBytes: 5, sha256: "00" } };
  const copy = {
    recording: "000007-abcdefghij",
    soundOnly: true,
    span: { startUs: 1_000_000, endUs: 61_000_000 },
    at: "2026-11-22T21:00:00Z",
    files,
  };
  const [text, json] = releaseFiles(agreed(TOLD), copy).map(({ bytes }) => new TextDecoder().decode(bytes));
  assert.match(text, /Part: {8}0:01 to 1:01\nAgreed by: {3}client A-04, on 2026-11-20\n/);
  assert.deepEqual(JSON.parse(json).part, { start_us: 1_000_000, end_us: 61_000_000 });
});

test("an end mark is read as it was written, and keeps whole what fits", () => {
  const mark = {
    rateHz: 48_000,
    samples: 2 ** 40,
    durationUs: 2 ** 45,
    gaps: [{ start: 5, samples: 2 ** 33 }],
    entries: [
      { chunk: 1, startUs: 0, key: true },
      { chunk: 4, startUs: 4_294_967_000, key: false },
    ],
  };
  const chunk = endMark(mark);
  assert.equal(chunk.length, 65_536);
  assert.deepEqual(parseIndex(chunk), {
    ...mark,
    entries: mark.entries.map((entry) => ({ ...entry, startUs: Math.floor(entry.startUs / 1000) * 1000 })),
  });
  const many = Array.from({ length: 20_000 }, (_, chunk) => ({ chunk, startUs: chunk * 750_000, key: chunk % 2 === 0 }));
  const thinned = parseIndex(endMark({ ...mark, entries: many })).entries;
  assert.ok(thinned.length > 4000 && thinned.every((entry) => entry.key));
});

test("a content whose rest is too small for a box takes one chunk more", () => {
  assert.deepEqual(
    [65_536, 65_535, 65_529, 65_528, 1].map((size) => padded(new Uint8Array(size)).length),
    [65_536, 131_072, 131_072, 65_536, 65_536],
  );
});

test("times of hours stay exact in a track of microseconds", () => {
  const track = { timescale: 1_000_000 };
  for (const ticks of [10_799_999_999, 36_000_000_001]) {
    assert.equal(usOf(track, ticks), ticks);
    assert.equal(ticksOf(track, ticks), ticks);
  }
  assert.equal(ticksOf({ timescale: 48_000 }, 1_000_010), 48_000);
  assert.equal(usOf({ timescale: 48_000 }, 1), 20);
});

test("of a gap only what lies in a clip is in it", () => {
  assert.deepEqual(within({ start: 100, samples: 50 }, 120, 1000), { start: 0, samples: 30 });
  assert.deepEqual(within({ start: 100, samples: 50 }, 50, 70), { start: 50, samples: 20 });
  assert.ok(within({ start: 100, samples: 50 }, 200, 1000).samples <= 0);
});

test("into a folder nothing is written over, and what did not get its end is not left there", async () => {
  const folder = new MemoryFolder({ "recording.mp4.age": "somebody's" });
  const place = new Folder(folder);
  await assert.rejects(place.save("recording.mp4.age", streamOf(Uint8Array.of(1))), (problem) => problem.kind === "there already");
  assert.equal(folder.files.get("recording.mp4.age"), "somebody's");
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) });
  await assert.rejects(place.save("release.json", broken));
  assert.equal(folder.files.has("release.json"), false);
  const { sizeBytes, sha256 } = await place.save("RELEASE.txt", streamOf(new TextEncoder().encode("abc")));
  assert.deepEqual([sizeBytes, sha256], [3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]);
});

// A folder in memory that behaves as a browser's does: what is written is there once it is closed.
class MemoryFolder {
  constructor(files) {
    this.files = new Map(Object.entries(files));
  }

  async getFileHandle(name, { create = false } = {}) {
    if (!this.files.has(name) && !create) throw new DOMException("none", "NotFoundError");
    if (!this.files.has(name)) this.files.set(name, "");
    return { createWritable: async () => this.#sink(name) };
  }

  async removeEntry(name) {
    this.files.delete(name);
  }

  #sink(name) {
    const parts = [];
    return new WritableStream({ write: (part) => void parts.push(...part), close: () => void this.files.set(name, parts) });
  }
}
