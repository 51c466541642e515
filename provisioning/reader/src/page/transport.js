// Play, back, on, faster, louder.

import { RATES } from "../play/player.js";
import { SECOND_US, clock } from "../times.js";
import { button, h, icon, show } from "./dom.js";

const PLAY = "M8 5v14l11-7z";
const PAUSE = "M8 5v14M16 5v14";
const BACK = "M11 7l-5 5 5 5M18 7l-5 5 5 5";
const ON = "M13 7l5 5-5 5M6 7l5 5-5 5";

export function transport(player, sound) {
  const time = h("span", { class: "time" });
  const play = button("Play", () => player.toggle(), { class: "main round", drawing: icon(PLAY), id: "play" });
  const showState = () => {
    const label = player.paused ? "Play" : "Pause";
    play.setAttribute("aria-label", label);
    play.title = label;
    play.classList.toggle("waiting", player.waiting);
    show(play, icon(player.paused ? PLAY : PAUSE));
  };
  const showTime = () => (time.textContent = `${clock(player.nowUs)} / ${clock(player.durationUs)}`);
  for (const name of ["state", "slice"]) player.addEventListener(name, showState);
  player.addEventListener("moved", showTime);
  showState();
  showTime();
  return h(
    "div",
    { class: "transport", role: "group", "aria-label": "Playing" },
    button("Back 10 seconds", () => player.skip(-10 * SECOND_US), { drawing: icon(BACK), class: "round" }),
    play,
    button("On 10 seconds", () => player.skip(10 * SECOND_US), { drawing: icon(ON), class: "round" }),
    time,
    slice(player),
    speed(player),
    loudness(sound),
  );
}

/** Which part is being played, and the way out of it. */
function slice(player) {
  const place = h("span", { class: "slice", "aria-live": "polite" });
  const update = () => {
    if (!player.slice) return show(place);
    const { name, fromUs, toUs } = player.slice;
    show(place, h("span", { text: name ?? `${clock(fromUs)} to ${clock(toUs)}` }), button("Whole session", () => player.leaveSlice(), { class: "link" }));
  };
  player.addEventListener("slice", update);
  return place;
}

function speed(player) {
  const select = h("select", { id: "speed", on: { change: () => (player.rate = Number(select.value)) } },
    RATES.map((rate) => h("option", { value: rate, text: `${rate}×`, selected: rate === 1 })));
  player.addEventListener("state", () => (select.value = String(player.rate)));
  return h("span", { class: "field" }, h("label", { for: "speed", text: "Speed" }), select);
}

function loudness(sound) {
  const gain = h("input", { type: "range", id: "gain", min: -12, max: 24, step: 1, value: 0 });
  const even = h("input", { type: "checkbox", id: "even" });
  const said = h("output", { for: "gain", text: "0 dB" });
  const update = () => {
    said.textContent = `${gain.value > 0 ? "+" : ""}${gain.value} dB`;
    gain.setAttribute("aria-valuetext", said.textContent);
    sound.set(Number(gain.value), even.checked);
  };
  gain.addEventListener("input", update);
  even.addEventListener("change", update);
  return h("span", { class: "field loudness" },
    h("label", { for: "gain", text: "Loudness" }), gain, said,
    h("span", { class: "row" }, even, h("label", { for: "even", text: "Even loudness" })));
}
