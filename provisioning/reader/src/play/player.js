// What the page plays a recording with: from here, to there, faster, on. Times are microseconds of the recording.
//
// It tells what happens as events of its own: "moved" (several times a second while it plays), "state" (it plays, stands
// or waits), "slice" (another part is being played), "problem" (its detail is the error) and "fragment".

import { SECOND_US } from "../times.js";
import { Feed } from "./feed.js";
import { stopped } from "./unplayable.js";

export const RATES = [0.75, 1, 1.25, 1.5, 1.75, 2];

export class Player extends EventTarget {
  #element;
  #feed;
  #stopper = null;

  constructor(element, recording) {
    super();
    this.#element = element;
    this.recording = recording;
    this.slice = null;
    this.problem = null;
    this.#feed = new Feed(recording, element, {
      problem: (error, atUs) => this.#failed(error, atUs),
      fragment: (detail) => this.#tell("fragment", detail),
    });
    this.#listen();
  }

  get element() {
    return this.#element;
  }

  get nowUs() {
    return Math.round(this.#element.currentTime * SECOND_US);
  }

  get durationUs() {
    return this.recording.durationUs;
  }

  get paused() {
    return this.#element.paused;
  }

  /** Whether it wants to play and has nothing to play yet. */
  get waiting() {
    return !this.#element.paused && this.#element.readyState < 3 && !this.problem;
  }

  /** Play a part of the recording, and stop at its end. */
  play(fromUs = this.nowUs, toUs = this.durationUs, name = null) {
    const [from, to] = [clamp(fromUs, 0, this.durationUs), clamp(toUs, 0, this.durationUs)];
    this.slice = from > 0 || to < this.durationUs || name ? { fromUs: from, toUs: to, name } : null;
    this.#tell("slice");
    this.seek(from);
    this.resume();
  }

  resume() {
    if (this.slice && this.nowUs >= this.slice.toUs - 50_000) this.leaveSlice();
    this.#element.play().catch((problem) => {
      if (problem?.name === "NotAllowedError") this.#tell("state"); // the browser wants a press first
    });
  }

  pause() {
    this.#element.pause();
  }

  toggle() {
    if (this.#element.paused) this.resume();
    else this.pause();
  }

  /** Go to a moment; out of the part that is played, if the moment is. */
  seek(timeUs) {
    const to = clamp(timeUs, 0, Math.max(0, this.durationUs - 1000));
    if (this.slice && (to < this.slice.fromUs || to >= this.slice.toUs)) this.leaveSlice();
    this.problem = null;
    if (!this.#feed.covers(to)) this.#feed.start(to);
    if (this.#element.readyState > 0 || this.#element.src) this.#element.currentTime = to / SECOND_US;
    this.#tell("moved");
  }

  skip(us) {
    this.seek(this.nowUs + us);
  }

  leaveSlice() {
    this.slice = null;
    this.#tell("slice");
  }

  get rate() {
    return this.#element.playbackRate;
  }

  set rate(rate) {
    this.#element.preservesPitch = true;
    this.#element.playbackRate = this.#element.defaultPlaybackRate = rate;
    this.#tell("state");
  }

  close() {
    this.#stopper?.abort();
    this.#element.pause();
    this.#feed.close();
    this.#element.removeAttribute("src");
    this.#element.load();
  }

  #listen() {
    this.#stopper = new AbortController();
    const on = (name, listener) => this.#element.addEventListener(name, listener, { signal: this.#stopper.signal });
    on("timeupdate", () => this.#moved());
    on("seeked", () => this.#moved());
    on("error", () => this.#element.error && this.#failed(stopped(this.#element.error), this.nowUs));
    on("waiting", () => this.#feed.moved({ waiting: true }));
    for (const name of ["play", "playing", "pause", "waiting", "ended", "canplay"]) on(name, () => this.#tell("state"));
  }

  #moved() {
    this.#feed.moved();
    if (this.slice && !this.#element.paused && this.nowUs >= this.slice.toUs) this.#element.pause();
    this.#tell("moved");
  }

  #failed(error, atUs) {
    this.problem = error;
    this.#tell("problem", { error, atUs });
    this.#tell("state");
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
