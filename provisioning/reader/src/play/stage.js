// Where the browser plays from: one media source with one buffer, into which whole fragments go one after the other.

import { cannotPlay, stopped } from "./unplayable.js";

const Source = globalThis.MediaSource ?? globalThis.ManagedMediaSource; // iPhones have the second one alone
const NUDGE_S = 1;

export class Stage {
  #element;
  #source;
  #url;
  #buffer = null;
  #type;
  #busy = Promise.resolve();

  /** `init`: `ftyp` and `moov`; `type`: what is in it, as browsers are asked. */
  constructor(element, { type, init, withPicture }) {
    if (!Source?.isTypeSupported(type)) throw cannotPlay(type);
    this.#element = element;
    this.#type = type;
    this.init = init;
    this.withPicture = withPicture;
    this.closed = false;
  }

  /** Become what the element plays. */
  async open(durationS) {
    this.#source = new Source();
    this.#url = URL.createObjectURL(this.#source);
    const opened = new Promise((resolve) => this.#source.addEventListener("sourceopen", resolve, { once: true }));
    const playing = !this.#element.paused;
    this.#element.disableRemotePlayback = true;
    this.#element.src = this.#url;
    await opened;
    if (this.closed) return;
    this.#buffer = this.#source.addSourceBuffer(this.#type);
    this.#source.duration = durationS;
    await this.#done(() => this.#buffer.appendBuffer(this.init));
    if (playing) this.#element.play().catch(() => null); // a change of source stops it
  }

  /** Hand over a fragment; what lies more than `behindS` back is let go. */
  async append(bytes, { behindS }) {
    if (this.closed) return;
    for (;;) {
      try {
        await this.#done(() => this.#buffer.appendBuffer(bytes));
        break;
      } catch (problem) {
        if (problem?.name !== "QuotaExceededError" || !(await this.#forget(5))) throw problem;
      }
    }
    this.#nudge();
    await this.#forget(behindS);
  }

  /** All of it was handed over. */
  async end() {
    await this.#busy;
    if (!this.closed && this.#source.readyState === "open") this.#source.endOfStream();
  }

  /** How far what is played now is there without a hole, in seconds; `null` where it is not. */
  bufferedTo(timeS) {
    const ranges = this.#buffer && !this.closed ? this.#buffer.buffered : { length: 0 };
    for (let at = 0; at < ranges.length; at += 1) {
      if (ranges.start(at) <= timeS + 0.1 && timeS < ranges.end(at)) return ranges.end(at);
    }
    return null;
  }

  aheadS(timeS) {
    return Math.max(0, (this.bufferedTo(timeS) ?? timeS) - timeS);
  }

  close() {
    this.closed = true;
    if (this.#url) URL.revokeObjectURL(this.#url);
  }

  /** Where the first thing to be heard starts a little later than the moment asked for, go there. */
  #nudge() {
    const { buffered } = this.#buffer;
    const nowS = this.#element.currentTime;
    if (!this.#element.seeking && this.#element.readyState > 2) return;
    for (let at = 0; at < buffered.length; at += 1) {
      const startS = buffered.start(at);
      if (startS > nowS && startS - nowS < NUDGE_S && this.bufferedTo(nowS) === null) this.#element.currentTime = startS;
    }
  }

  async #forget(behindS) {
    const { buffered } = this.#buffer;
    const endS = this.#element.currentTime - behindS;
    if (this.closed || !buffered.length || buffered.start(0) >= endS - 10) return false;
    await this.#done(() => this.#buffer.remove(0, endS));
    return true;
  }

  /** Do one thing with the buffer, once it has done what it was asked before. */
  async #done(work) {
    const before = this.#busy;
    const ended = (async () => {
      await before.catch(() => null); // whoever asked for that was told
      if (this.closed) return;
      if (this.#element.error) throw stopped(this.#element.error);
      await new Promise((resolve, reject) => {
        this.#buffer.onupdateend = resolve;
        this.#buffer.onerror = () => reject(stopped(this.#element.error));
        work();
      });
    })();
    this.#busy = ended;
    await ended;
  }
}
