// The sounder: each tone once, heard (after a gesture) and seen. Notes are [hertz, milliseconds]; 0 Hz is silence.

const VOLUME = 0.12;
const EDGE_S = 0.008; // a note that begins or ends at once would click
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 120;
const HEIGHT = 24;
const HIGHEST_HZ = 1300;

export class Sounder {
  audible = false;
  untouched = true;
  #context = null;
  #count = null;
  #waves;
  #picture;
  #timer = 0;

  constructor(waves, picture) {
    this.#waves = waves;
    this.#picture = picture;
  }

  turn(on) {
    this.audible = on;
    this.untouched = false;
    if (on) {
      this.#context ??= new AudioContext();
      this.#context.resume();
    }
  }

  // The count of tones so far, and the notes of the last one. What sounded before the page looked is not repeated.
  hear(count, notes) {
    const fresh = this.#count !== null && count > this.#count;
    this.#count = count;
    if (!fresh || notes.length === 0) return;
    this.#draw(notes);
    if (this.audible) this.#play(notes);
  }

  forget() {
    this.#count = null;
  }

  #play(notes) {
    let at = this.#context.currentTime + 0.01;
    for (const [hz, ms] of notes) {
      const end = at + ms / 1000;
      if (hz > 0) this.#note(hz, at, end);
      at = end;
    }
  }

  #note(hz, start, end) {
    const [oscillator, gain] = [this.#context.createOscillator(), this.#context.createGain()];
    oscillator.frequency.value = hz;
    oscillator.connect(gain).connect(this.#context.destination);
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(VOLUME, start + EDGE_S);
    gain.gain.setValueAtTime(VOLUME, end - EDGE_S);
    gain.gain.linearRampToValueAtTime(0, end);
    oscillator.start(start);
    oscillator.stop(end);
  }

  // A small score: one bar per note, as long as the note and as high as it sounds.
  #draw(notes) {
    const total = notes.reduce((sum, [, ms]) => sum + ms, 0);
    let x = 0;
    const bars = notes.map(([hz, ms]) => {
      const [width, height] = [(ms / Math.max(total, 900)) * WIDTH, (hz / HIGHEST_HZ) * HEIGHT];
      const bar = document.createElementNS(SVG, "rect");
      const places = { x: x + 0.5, y: HEIGHT - height, width: Math.max(width - 1, 1), height, rx: 1.5 };
      for (const [name, value] of Object.entries(places)) bar.setAttribute(name, String(value));
      x += width;
      return bar;
    });
    this.#picture.replaceChildren(...bars);
    for (const element of [this.#waves, this.#picture]) element.classList.add("sounding");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      for (const element of [this.#waves, this.#picture]) element.classList.remove("sounding");
    }, Math.max(total, 600));
  }
}
