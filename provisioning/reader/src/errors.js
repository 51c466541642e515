// What a person is told when something does not work: what happened, and what to do now. Everything that the reader
// throws on purpose is one of these; anything else is a fault of the reader itself, and is told as one.

export class ReaderError extends Error {
  /** `kind` names what it is, for tests and for those that treat one kind in their own way. */
  constructor(kind, what, hint) {
    super(what);
    this.name = "ReaderError";
    this.kind = kind;
    this.hint = hint;
  }
}

export const wrongKey = () =>
  new ReaderError(
    "wrong key",
    "None of your keys opens this recording.",
    "It was sealed to somebody else. Ask your clinic to share it with your key.",
  );

export const wrongPassphrase = () =>
  new ReaderError("wrong passphrase", "That passphrase does not open it.", "Type it again; capital letters count.");

export const notAge = () =>
  new ReaderError("not age", "This is not a sealed file.", "Choose session.mp4.age, or the folder that it is in.");

export const notARecording = () =>
  new ReaderError(
    "not a recording",
    "This file opens with your key, but there is no recording in it.",
    "Choose session.mp4.age, or the folder that it is in.",
  );

export const alteredHeader = () =>
  new ReaderError(
    "altered header",
    "The head of this file was changed after it was sealed.",
    "Do not trust it. Fetch it again, or take another copy.",
  );

export const damagedChunk = (number, at) =>
  new ReaderError(
    "damaged",
    `The recording is damaged${at === undefined ? "" : ` at ${at}`}: chunk ${number} is not what was sealed.`,
    "Fetch it again, or take another copy. What is not damaged can still be played.",
  );

export const cutFile = () =>
  new ReaderError(
    "cut",
    "The recording does not end as a sealed file ends: it was cut, or its end was changed.",
    "Fetch it again, or take another copy.",
  );

export const unknownWriting = (number) =>
  new ReaderError(
    "unknown writing",
    `The recording is written in a way that this reader does not know (chunk ${number}).`,
    "Use the reader that belongs to the box's version.",
  );

/** What is told of any failure, as { what, hint, kind }. */
export function told(problem) {
  if (problem instanceof ReaderError) return { what: problem.message, hint: problem.hint, kind: problem.kind };
  return {
    what: `The reader itself failed: ${problem?.message ?? problem}`,
    hint: "Load the page anew. If it happens again, tell whoever looks after the reader.",
    kind: "fault",
  };
}
