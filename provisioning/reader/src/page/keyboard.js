// The keys that work wherever one is on the page of a recording, unless something is being typed.

import { RATES } from "../play/player.js";
import { SECOND_US } from "../times.js";

/** `[key, what it does, how]`; the first two are shown as help. */
export const KEYS = [
  [" ", "play or pause", (player) => player.toggle()],
  ["k", "play or pause", (player) => player.toggle()],
  ["j", "10 seconds back", (player) => player.skip(-10 * SECOND_US)],
  ["l", "10 seconds on", (player) => player.skip(10 * SECOND_US)],
  ["ArrowLeft", "5 seconds back", (player) => player.skip(-5 * SECOND_US)],
  ["ArrowRight", "5 seconds on", (player) => player.skip(5 * SECOND_US)],
  ["<", "slower", (player) => step(player, -1)],
  [">", "faster", (player) => step(player, 1)],
  ["b", "next bookmark", (player, { bookmarksUs }) => toBookmark(player, bookmarksUs)],
];

/** Listen to them; gives what ends that. */
export function keyboard(player, context) {
  const listen = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const found = KEYS.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    found[2](player, context);
  };
  document.addEventListener("keydown", listen);
  return () => document.removeEventListener("keydown", listen);
}

/** Whether a key belongs to what is being typed, or pressed. */
export function isTyping({ target, key }) {
  if (target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]")) return true;
  return key === " " && target.closest?.("button, summary, a, input");
}

function step(player, by) {
  const at = RATES.findIndex((rate) => rate === player.rate);
  player.rate = RATES[Math.min(Math.max(at + by, 0), RATES.length - 1)];
}

function toBookmark(player, bookmarksUs) {
  const next = bookmarksUs.find((us) => us > player.nowUs + SECOND_US) ?? bookmarksUs[0];
  if (next !== undefined) player.seek(next);
}
