// Louder, softer, evener: how it is listened to, and nothing that is stored. As long as nobody asks for it, what was
// decoded goes to the loudspeaker as it is.

const TARGET_LUFS = -20;
const MOST_GAIN_DB = 24;

export class Sound {
  #element;
  #context = null;
  #gain = null;
  #limiter = null;
  #loudnessLufs;
  gainDb = 0;
  even = false;

  /** `loudnessLufs`: what the box measured, or null. */
  constructor(element, loudnessLufs) {
    this.#element = element;
    this.#loudnessLufs = loudnessLufs;
  }

  set(gainDb, even) {
    this.gainDb = gainDb;
    this.even = even;
    if (!this.#context && gainDb === 0 && !even) return;
    this.#join();
    this.#gain.gain.setTargetAtTime(10 ** (this.#wholeDb() / 20), this.#context.currentTime, 0.05);
  }

  /** How much is added all in all. */
  #wholeDb() {
    const lift = this.even ? TARGET_LUFS - (this.#loudnessLufs ?? TARGET_LUFS - 6) : 0;
    return this.gainDb + Math.min(Math.max(lift, -MOST_GAIN_DB), MOST_GAIN_DB);
  }

  #join() {
    if (this.#context) {
      this.#context.resume();
      return;
    }
    this.#context = new AudioContext();
    const source = this.#context.createMediaElementSource(this.#element);
    this.#gain = this.#context.createGain();
    this.#limiter = limiter(this.#context);
    source.connect(this.#gain).connect(this.#limiter).connect(this.#context.destination);
    this.#context.resume();
  }

  close() {
    this.#context?.close();
  }
}

/** What keeps a lifted whisper from turning a slammed door into pain. */
function limiter(context) {
  const made = context.createDynamicsCompressor();
  made.threshold.value = -9;
  made.knee.value = 6;
  made.ratio.value = 12;
  made.attack.value = 0.004;
  made.release.value = 0.2;
  return made;
}
