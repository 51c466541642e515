// Times. Media time is microseconds from the first sample, everywhere but on the page and in the browser's own player.

export const SECOND_US = 1_000_000;

/** A moment of a recording as people write it: 4:05, or 1:02:03. */
export function clock(us) {
  const whole = Math.max(0, Math.floor(us / SECOND_US));
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}

/** A length in words that a screen reader says well: "49 minutes 3 seconds". */
export function spoken(us) {
  const whole = Math.max(0, Math.round(us / SECOND_US));
  const parts = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts.filter(([count]) => count).map(([count, word]) => `${count} ${word}${count === 1 ? "" : "s"}`);
  return said.join(" ") || "0 seconds";
}

/** A length, roughly: "50 min", "40 s". */
export function roughly(us) {
  const seconds = Math.round(us / SECOND_US);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A moment of the wall clock where the reader is; "" where it is none. */
export function when(utc) {
  const moment = new Date(utc ?? NaN);
  if (Number.isNaN(moment.getTime())) return "";
  return moment.toLocaleString(undefined, {
    weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
}
