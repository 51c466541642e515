// The room view: lights, sounder and fingers of the box that is drawn on the page.

import { setText } from "./live.js";
import { Lamps } from "./lamps.js";
import { listen } from "./fingers.js";
import { Sounder } from "./sounder.js";
import { subscribe } from "./poll.js";

const device = document.getElementById("device");
const lamps = new Lamps(device.querySelectorAll("[data-lamp]"));
const sounder = new Sounder(device.querySelector("#sounder"), document.getElementById("notes"));
const lampTexts = document.querySelectorAll("[data-lamp-text]");
const sound = document.getElementById("sound");

function showSound() {
  sound.setAttribute("aria-pressed", String(sounder.audible));
  setText(sound, sounder.audible ? sound.dataset.on : sound.dataset.off);
}

subscribe(({ status }) => {
  const known = Boolean(status) && !status.stale;
  device.dataset.light = known ? status.says.light : "unknown";
  lamps.show(known ? status.panel.lamps : null);
  for (const [index, element] of lampTexts.entries()) {
    setText(element, known ? status.says.lamps[index] : document.getElementById("live").dataset.unknown);
  }
  if (known) sounder.hear(status.panel.tones, status.panel.tone_notes);
  else sounder.forget();
});

sound.hidden = false;
sound.addEventListener("click", () => {
  sounder.turn(!sounder.audible);
  showSound();
});

// A browser plays nothing before a gesture; the first press on the box is one, and switches the sounder on.
listen(document.querySelector(".stage"), () => {
  if (sounder.untouched) sounder.turn(true);
  showSound();
});
