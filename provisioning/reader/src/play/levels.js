// How loud a recording is, moment by moment: from what was fetched to be heard, and roughly from places that were looked
// at. What nobody fetched stays unknown, and is drawn so.

const TOGETHER = 8;
const REST_MS = 1200;

export class Levels extends EventTarget {
  #waiting = [];
  #known = new Map();
  #rough = [];
  #timer = null;
  #context = null;

  /** Take a fragment as the player tells of it. */
  add({ startUs, endUs, bytes, init, sound }) {
    if (!sound || this.#known.has(startUs)) return;
    this.#known.set(startUs, null);
    this.#waiting.push({ startUs, endUs, bytes, init });
    this.#timer ??= setTimeout(() => this.#measure(), REST_MS); // whoever listens comes first
  }

  /** Take one place that stands for all up to the next. */
  async addRough({ startUs, endUs, bytes, init }) {
    const level = await this.#levelOf(init, bytes);
    if (level === null) return;
    this.#rough.push({ startUs, endUs, level });
    this.dispatchEvent(new Event("more"));
  }

  /** `[{startUs, endUs, level}]`, levels from 0 to 1; what is known well comes behind what is known roughly. */
  known() {
    return [...this.#rough, ...[...this.#known.values()].filter((one) => one !== null)];
  }

  close() {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  async #measure() {
    const part = this.#waiting.splice(0, TOGETHER);
    for (const { startUs, endUs, bytes, init } of part) {
      const level = await this.#levelOf(init, bytes);
      if (level !== null) this.#known.set(startUs, { startUs, endUs, level });
    }
    this.dispatchEvent(new Event("more"));
    this.#timer = this.#waiting.length ? setTimeout(() => this.#measure(), 0) : null;
  }

  async #levelOf(init, bytes) {
    this.#context ??= new OfflineAudioContext(1, 1, 48_000);
    let decoded;
    try {
      decoded = await this.#context.decodeAudioData(await new Blob([init, bytes]).arrayBuffer());
    } catch {
      return null; // it is not drawn; whether it can be played is said where it is played
    }
    const samples = decoded.getChannelData(0);
    let sum = 0;
    for (let at = 0; at < samples.length; at += 4) sum += samples[at] ** 2;
    const dbfs = 10 * Math.log10((sum * 4) / Math.max(1, samples.length) + 1e-12);
    return Math.min(1, Math.max(0, 1 + dbfs / 60));
  }
}
