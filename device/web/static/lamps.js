// The lamps at the buttons, lit and dark as the status says: beats_ms is lit, dark, lit, dark ... and again.

const MOST_FLASHES_PER_S = 3;
const still = matchMedia("(prefers-reduced-motion: reduce)");

// Whether no second holds more than three flashes, wherever it begins (WCAG 2.2, 2.3.1). Anything else is shown steady.
export function isCalm(beats) {
  const period = beats.reduce((sum, beat) => sum + beat, 0);
  if (beats.length < 2 || period <= 0) return false;
  const starts = [];
  for (let at = 0; starts.length < beats.length * 4; ) {
    for (let i = 0; i < beats.length; at += beats[i], i += 1) if (i % 2 === 0) starts.push(at);
  }
  return starts.every((at, i) => i < MOST_FLASHES_PER_S || at - starts[i - MOST_FLASHES_PER_S] >= 1000);
}

function isLit(beats, elapsed) {
  let left = elapsed % beats.reduce((sum, beat) => sum + beat, 0);
  for (const [index, beat] of beats.entries()) {
    if (left < beat) return index % 2 === 0;
    left -= beat;
  }
  return false;
}

export class Lamps {
  #elements;
  #lamps = null;
  #key = "";
  #since = 0;
  #frame = 0;

  constructor(elements) {
    this.#elements = [...elements];
    still.addEventListener("change", () => this.#draw());
  }

  // What both lamps show from now on; null where it is not known.
  show(lamps) {
    const key = JSON.stringify(lamps);
    if (key === this.#key) return;
    this.#key = key;
    this.#lamps = lamps;
    this.#since = performance.now();
    this.#draw();
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    let moving = false;
    for (const [index, element] of this.#elements.entries()) {
      const lamp = this.#lamps?.[index];
      const beats = lamp?.beats_ms ?? [];
      const blinks = beats.length > 0 && !still.matches && isCalm(beats);
      moving ||= blinks;
      const lit = blinks ? (isLit(beats, performance.now() - this.#since) ? "on" : "off") : steady(lamp);
      if (element.dataset.lit !== lit) element.dataset.lit = lit;
      element.dataset.colour = lamp?.colour ?? "none";
    }
    if (moving) this.#frame = requestAnimationFrame(() => this.#draw());
  }
}

function steady(lamp) {
  if (!lamp) return "unknown";
  return lamp.pattern === "off" || lamp.pattern === "dim" ? lamp.pattern : "on";
}
