// That the clinic made the header of a recording anew, for others to open it: `rewrapped.json` beside it, signed by the
// clinic's own key (provisioning/rewraps.py). The box's manifest stays as it is. What it says of the chunks holds as ever;
// what it says of the header is taken from the step whose header is there.

import { SEALED_CHUNK_BYTES, TAG_BYTES } from "../age/chunks.js";
import { ReaderError } from "../errors.js";
import { list, object, oneOf, text, whole } from "../shape.js";
import { readSigned } from "./manifest.js";
import { CLOSING_BYTES } from "./recording.js";

const HEX = (digits) => text({ most: digits, pattern: new RegExp(`^[0-9a-f]{${digits}}$`) });
const KEYS = list(HEX(16), { most: 1000 });
const HEAD = object({ digest: HEX(64), size_bytes: whole({ least: 1 }) });
const STEP = object({
  at: text({ most: 40 }),
  by: HEX(16),
  what: oneOf("added", "only"),
  whom: KEYS,
  recipients: KEYS,
  old: HEAD,
  new: HEAD,
});
const STEPS = list(STEP, { most: 10_000 });
const FORMAT = "sotto rewrap 1";

/**
 * `{facts, by}`: the manifest's facts as they hold for the header that is there, and the fingerprint of the clinic's key;
 * `by` is null where the header is the one that the box sealed. Throws ReaderError where the document does not hold.
 */
export async function asItIsNow(facts, document, recording) {
  const { payload, fingerprint } = await readSigned("rewrap", document, altered);
  const steps = stepsOf(payload);
  const isHere = payload.format === FORMAT && payload.recording === facts.id && payload.digest === facts.digest;
  if (!isHere || !areChained(steps, facts)) throw altered();
  const step = steps.findLast((one) => one.new.digest === recording.headerDigest);
  if (step === undefined) return { facts, by: null };
  const grown = step.new.size_bytes - steps[0].old.size_bytes;
  return { facts: { ...facts, header_digest: step.new.digest, size_bytes: facts.size_bytes + grown }, by: fingerprint };
}

function stepsOf(payload) {
  try {
    return STEPS(payload?.steps, "rewrapped.json");
  } catch {
    throw altered();
  }
}

/** Whether the first step found what the box sealed, and each other one what the step before it made. */
function areChained(steps, facts) {
  const first = steps[0]?.old ?? null;
  if (first === null) return true; // attachments alone were opened to somebody
  const long = facts.size_bytes - facts.chunks * SEALED_CHUNK_BYTES - CLOSING_BYTES - TAG_BYTES;
  if (first.digest !== (facts.header_digest ?? first.digest) || first.size_bytes !== long) return false;
  return steps.every((step, place) => place === 0 || step.old.digest === steps[place - 1].new.digest);
}

const altered = () =>
  new ReaderError(
    "altered header",
    "What your clinic said of this recording's header does not hold: it was changed, or belongs to another recording.",
    "Trust nothing in it. Take another copy, and tell your clinic.",
  );
