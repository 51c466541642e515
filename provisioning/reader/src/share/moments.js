// A moment as somebody types it: 4:05, 1:02:03, or seconds.

import { ReaderError } from "../errors.js";
import { SECOND_US } from "../times.js";

/** The microseconds. Throws ReaderError. */
export function momentUs(text) {
  const found = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,5})(?:\.(\d{1,3}))?$/.exec(text.trim());
  const [hours, minutes, seconds, parts] = found ? found.slice(1).map((one) => one ?? "0") : [];
  const inOrder = found && (found[2] === undefined || Number(seconds) < 60) && (found[1] === undefined || Number(minutes) < 60);
  if (!inOrder) throw new ReaderError("no moment", `“${text}” is no moment of a recording.`, "Write it as 4:05 or 1:02:03.");
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * SECOND_US + Number(parts.padEnd(3, "0")) * 1000;
}
