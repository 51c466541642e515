// What is said where a browser lacks what a recording needs.

import { ReaderError } from "../errors.js";

export const cannotPlay = (type) =>
  new ReaderError(
    "cannot play",
    `This browser cannot play ${type}.`,
    "Open the reader in a current Firefox, Chrome, Chromium, Edge or Safari.",
  );

/** `error`: what the browser says of its own player (a MediaError, or null). */
export const stopped = (error) =>
  new ReaderError(
    "not played",
    `The browser stopped playing${error?.message ? `: ${error.message}` : ""}.`,
    error?.code === 3 || error?.code === 4
      ? "Is there anything to hear with, headphones or a loudspeaker? Else open the reader in another browser."
      : "Open the recording anew.",
  );
