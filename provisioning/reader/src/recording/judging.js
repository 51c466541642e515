// What a manifest says of a recording, held against the recording itself. Whatever contradicts it stops everything; what
// is only missing is told.

import { ReaderError } from "../errors.js";
import { readManifest } from "./manifest.js";
import { asItIsNow } from "./rewrap.js";

const STATES = { open: "It was still being recorded when this copy was made." };

/**
 * `{facts, signer, notes: [{text, grave}]}`. `opening`: the promise of the recording; `chosen.document()`: that of the
 * manifest's text, null where there is none; `chosen.rewrapped()`, where it has that: of what the clinic said of a header
 * that it made anew. Throws ReaderError where the manifest does not hold, or is of another one.
 */
export async function judge(opening, { document, rewrapped, clinic }) {
  const words = await document();
  if (words === null) {
    const recording = await opening;
    return { facts: null, signer: null, notes: [...interrupted(recording), { text: "No manifest lies beside it, so nothing tells which box made it, or whether all of it is here." }] };
  }
  const { facts: sealed, fingerprint } = await readManifest(words);
  const known = clinic?.knows(fingerprint) ?? null;
  if (known === false) throw strangeBox(fingerprint);
  const recording = await opening;
  const anew = (await rewrapped?.()) ?? null;
  const { facts, by } = anew === null ? { facts: sealed, by: null } : await asItIsNow(sealed, anew, recording);
  mustFit(recording, facts);
  const notes = [...interrupted(recording), ...gapsOf(facts), ...soundOf(facts)];
  if (known === null) notes.push({ text: `It was signed by a box with the key ${fingerprint}. Without a kit nothing tells whose that is.` });
  const former = clinic?.former(fingerprint) ?? null;
  if (former) notes.push({ text: `It was signed by ${former} (key ${fingerprint}).` });
  if (by) notes.push({ text: `Your clinic opened it to others (key ${by}); what is sealed in it is as the box sealed it.` });
  if (STATES[facts.state]) notes.push({ text: STATES[facts.state] });
  if (facts.clock_trusted === false) notes.push({ text: "The box did not trust its clock when this was recorded." });
  return { facts, signer: known ? `signed by ${facts.box}` : null, notes };
}

const strangeBox = (fingerprint) =>
  new ReaderError(
    "strange box",
    `This recording was signed by a box that is not in your kit (key ${fingerprint}).`,
    "Ask your clinic where it comes from; a new kit knows new boxes.",
  );

function mustFit(recording, facts) {
  if (facts.state === "open") return; // it was signed before it was known how long it would be
  if (facts.chunks !== recording.chunks || facts.size_bytes !== recording.sizeBytes) throw otherLength(recording, facts);
  const is = (said, found) => said === null || said === undefined || said === found;
  if (!is(facts.header_digest, recording.headerDigest) || !is(facts.closing_digest, recording.closingDigest)) throw other();
}

const otherLength = (recording, facts) =>
  new ReaderError(
    "other length",
    recording.chunks < facts.chunks
      ? `Something is missing at the end: the box signed ${facts.chunks} chunks, and here are ${recording.chunks}.`
      : "The recording is longer than what the box signed.",
    "Fetch it again, or take another copy.",
  );

const other = () =>
  new ReaderError(
    "other recording",
    "The manifest belongs to another recording than the one beside it.",
    "Fetch both again, or take another copy.",
  );

function interrupted(recording) {
  if (recording.complete) return [];
  return [{ text: "This recording was interrupted: it ends where the power or the microphone did.", grave: true }];
}

function gapsOf(facts) {
  if (!facts.gaps?.length) return [];
  const seconds = facts.gaps.reduce((sum, gap) => sum + gap.samples, 0) / (facts.sound?.rate_hz || 48_000);
  return [{ text: `${facts.gaps.length} gap${facts.gaps.length === 1 ? "" : "s"} in the sound, ${seconds.toFixed(1)} s in all: marked on the line below.` }];
}

const VERDICTS = {
  quiet: "The sound is very quiet. “Even loudness” helps.",
  silent: "There is hardly any sound in it.",
  distorted: "The sound is distorted: the microphone was too loud.",
};

const soundOf = (facts) => (VERDICTS[facts.report?.verdict] ? [{ text: VERDICTS[facts.report.verdict] }] : []);
