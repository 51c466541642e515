// What lies beside a client's copy: a note of who agreed to it, when, and how that is taken back; for programs and for people
// the same (provisioning/copying.py writes it just so).

import { utf8 } from "../bytes.js";
import { ReaderError } from "../errors.js";
import { clock } from "../times.js";

export const COPY_NAME = "recording.mp4.age";
export const READER_NAME = "reader.html";
export const REVOCABLE = "at any time, by telling the clinic. It then erases what it has; what is on this copy only its holder can erase.";

/** What somebody filled in, checked: `{who, on, revocable, by}`. Throws ReaderError. */
export function agreed({ who, on, revocable, by }) {
  for (const [text, missing] of [
    [who, "who agreed to it"],
    [by, "who hands it out"],
    [revocable, "how it is taken back"],
  ]) {
    if (text.trim() === "" || /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)) throw incomplete(missing);
  }
  if (!/^\d{4}-\d\d-\d\d$/.test(on)) throw incomplete("on which day it was agreed to");
  return { who: who.trim(), on, revocable: revocable.trim(), by: by.trim() };
}

const incomplete = (missing) =>
  new ReaderError("incomplete release", `It is not said ${missing}.`, "A copy leaves the clinic with that written down, or not at all.");

/**
 * The two files of the note: `[{name, bytes}]`. `copy`: `{recording, soundOnly, span, at, files}`; `span` is null for all of a
 * recording, `files` holds `{sizeBytes, sha256}` by name.
 */
export function releaseFiles(release, copy) {
  const facts = {
    sotto_release: 1,
    recording: copy.recording,
    sound_only: copy.soundOnly,
    part: copy.span === null ? null : { start_us: copy.span.startUs, end_us: copy.span.endUs },
    agreed: { who: release.who, on: release.on },
    released: { by: release.by, at: copy.at },
    revocable: release.revocable,
    files: Object.fromEntries(Object.entries(copy.files).map(([name, { sizeBytes, sha256 }]) => [name, { size_bytes: sizeBytes, sha256 }])),
  };
  return [
    { name: "RELEASE.txt", bytes: utf8(`${linesOf(release, copy).join("\n")}\n`) },
    { name: "release.json", bytes: utf8(`${JSON.stringify(facts, null, 2)}\n`) },
  ];
}

function linesOf(release, { recording, soundOnly, span, at }) {
  return [
    "A copy of a recorded session",
    "",
    `Recording:   ${recording}, ${soundOnly ? "sound only" : "sound and picture"}`,
    ...(span === null ? [] : [`Part:        ${clock(span.startUs)} to ${clock(span.endUs)}`]),
    `Agreed by:   ${release.who}, on ${release.on}`,
    `Handed out:  by ${release.by}, ${at}`,
    `Revocable:   ${release.revocable}`,
    "",
    `${COPY_NAME} opens with the passphrase that you were given, and with nothing else. Nobody can make`,
    "a new one: keep it in another place than this copy. Whoever has both can hear the session.",
    "",
    `To play it, open ${READER_NAME} in a browser and choose ${COPY_NAME}. Nothing leaves your computer.`,
    `It opens with age as well (age-encryption.org): age -d -o session.mp4 ${COPY_NAME}`,
  ];
}
