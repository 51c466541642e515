// Brings a recording to the browser's player, chunk by chunk: found, opened, and handed on as soon as it is known to be
// what was sealed. What is ahead is kept to some seconds, so that little is moved that nobody hears.
//
// A picture that ends before the sound would stop both (Media Source Extensions, "intersection of the track buffers"):
// where no picture comes for a while, or none can be shown yet, what follows is played as sound alone.

import { concat } from "../bytes.js";
import { unknownWriting } from "../errors.js";
import { free, initWithout, parseFragment } from "../recording/fragments.js";
import { MOST_LEAD_US, entryFor, startFragment } from "../recording/places.js";
import { BATCH_CHUNKS } from "../recording/recording.js";
import { SECOND_US } from "../times.js";
import { Stage } from "./stage.js";

const AHEAD_S = 40;
const BEHIND_S = 60;
const PICTURE_LATE_US = 3_000_000;
const SOON_US = 500_000;
export const FIRST_BATCH = 2;

export class Feed {
  #recording;
  #element;
  #stage = null;
  #opening = null;
  #run = null;
  #told;

  /**
   * `told`: `problem(error, atUs)` is called with what ends the bringing, and `fragment({startUs, endUs, bytes, init})`
   * with each piece that was brought, for whoever wants to know how loud it is.
   */
  constructor(recording, element, told) {
    this.#recording = recording;
    this.#element = element;
    this.#told = told;
  }

  /** Bring what is at a moment, and what follows. Whatever was being brought is not any more. */
  start(fromUs, { soundOnly = false } = {}) {
    this.stop();
    const run = { abort: new AbortController(), reachedUs: fromUs, switching: null };
    this.#run = run;
    this.#bring(run, fromUs, soundOnly).catch((problem) => {
      if (run.abort.signal.aborted || problem?.name === "AbortError") return;
      this.#told.problem(problem, run.reachedUs);
    });
  }

  /** Bring nothing more. */
  stop() {
    this.#run?.abort.abort();
    this.#run?.wake?.();
    this.#run = null;
  }

  close() {
    this.stop();
    this.#stage?.close();
    this.#stage = null;
  }

  /** To be called when the player has moved on; `waiting`: it has nothing to play. */
  moved({ waiting = false } = {}) {
    const run = this.#run;
    const nowUs = this.#element.currentTime * SECOND_US;
    if (run?.switching && (waiting || nowUs >= run.switching.atUs - 200_000)) {
      this.start(Math.max(nowUs, run.switching.atUs - 200_000), { soundOnly: run.switching.soundOnly });
    } else {
      run?.wake?.();
    }
  }

  /** Whether a moment is there, or about to be. */
  covers(timeUs) {
    const bufferedS = this.#stage?.bufferedTo(timeUs / SECOND_US) ?? null;
    return bufferedS !== null && this.#run !== null && bufferedS * SECOND_US > this.#run.reachedUs - 2 * SECOND_US;
  }

  async #bring(run, fromUs, soundOnly) {
    const recording = this.#recording;
    const { signal } = run.abort;
    const guess = entryFor(recording, fromUs, { anywhere: soundOnly || !recording.hasPicture });
    const likely = recording.hasPicture && !soundOnly && keyAround(recording, fromUs);
    const staging = this.#staged(run, likely, fromUs); // while the first fragment is under way
    staging.catch(() => null); // it is waited for below
    const first = await this.#first(run, guess, fromUs, soundOnly);
    if (signal.aborted) return;
    const withPicture = recording.hasPicture && !soundOnly && (await this.#showsSoon(first, fromUs));
    await staging;
    if (signal.aborted) return;
    const stage = await this.#staged(run, withPicture, fromUs);
    if (signal.aborted) return;
    const left = { withPicture, pictureEndUs: first.startUs, muted: recording.hasPicture && !withPicture };
    let [next, batch] = [first.chunk, FIRST_BATCH];
    run.reachedUs = first.startUs;
    while (next < recording.fragmentsEnd && !run.switching) {
      await this.#room(run, stage);
      if (signal.aborted) return;
      const end = Math.min(next + batch, recording.fragmentsEnd);
      recording.fetch(next, end, { signal, reachedUs: () => run.reachedUs });
      while (next < end && !run.switching) next = await this.#fragment(run, stage, next, left);
      batch = Math.min(batch * 2, BATCH_CHUNKS);
    }
    if (!run.switching) await stage.end();
  }

  /** The fragment to begin with; what follows it comes by the same request. */
  async #first(run, guess, fromUs, soundOnly) {
    if (guess) {
      const options = { signal: run.abort.signal, reachedUs: () => run.reachedUs };
      this.#recording.fetch(guess.chunk, Math.min(guess.chunk + FIRST_BATCH, this.#recording.fragmentsEnd), options);
      if (soundOnly) return await this.#recording.fragmentAt(guess.chunk);
    }
    return await startFragment(this.#recording, fromUs);
  }

  /** Whether a picture starts here, or so soon that it is waited for. What it needs from before is left out by the browser. */
  async #showsSoon(first, fromUs) {
    let fragment = first;
    while (!fragment.key) {
      const following = fragment.chunk + fragment.chunks;
      if (following >= this.#recording.fragmentsEnd || fragment.endUs > fromUs + SOON_US) return false;
      fragment = await this.#recording.fragmentAt(following, fragment.endUs);
    }
    return true;
  }

  /** Where it is played, with or without the picture; what another run had begun to open is waited for. */
  async #staged(run, withPicture, fromUs) {
    const fits = this.#stage?.withPicture === withPicture && !this.#stage.closed;
    if (!fits) {
      this.#stage?.close();
      this.#stage = new Stage(this.#element, { ...mediaOf(this.#recording, withPicture), withPicture });
      this.#opening = this.#stage.open(this.#recording.durationUs / SECOND_US);
    }
    const stage = this.#stage;
    await this.#opening;
    if (!fits && !run.abort.signal.aborted) this.#element.currentTime = fromUs / SECOND_US;
    return stage;
  }

  /** Hand one fragment on; the chunk that the next one starts with. */
  async #fragment(run, stage, number, left) {
    const recording = this.#recording;
    const { signal } = run.abort;
    const chunk = await recording.chunk(number, run.reachedUs);
    const found = parseFragment(chunk, number, recording.tracks);
    if (!found || number + found.chunks > recording.fragmentsEnd) throw unknownWriting(number);
    const following = number + found.chunks;
    if (this.#switches(run, found, left)) return following;
    const chunks = [chunk];
    for (let more = number + 1; more < following; more += 1) chunks.push(await recording.chunk(more, run.reachedUs));
    if (signal.aborted) throw signal.reason;
    const bytes = (chunks.length === 1 ? chunk : concat(chunks)).slice(0, found.contentBytes);
    const runs = left.muted ? found.runs.filter((one) => !one.track.picture) : found.runs;
    if (left.muted) for (const one of found.runs) if (one.track.picture) free(bytes, one.trafAt + 4);
    if (runs.length) {
      await stage.append(bytes, { behindS: BEHIND_S });
      this.#told.fragment?.({ startUs: found.startUs, endUs: found.endUs, bytes, init: stage.init, sound: found.sound });
    }
    run.reachedUs = found.endUs;
    return following;
  }

  /** Whether the picture comes or goes here, so that what follows is played in the other way. */
  #switches(run, found, left) {
    if (!this.#recording.hasPicture) return false;
    if (left.muted && found.key) run.switching = { atUs: found.startUs, soundOnly: false };
    for (const one of found.runs) if (one.track.picture) left.pictureEndUs = Math.max(left.pictureEndUs, one.endUs);
    if (left.withPicture && found.endUs - left.pictureEndUs > PICTURE_LATE_US) {
      run.switching = { atUs: left.pictureEndUs, soundOnly: true };
    }
    return run.switching !== null;
  }

  /** Wait until the player has moved on far enough. */
  async #room(run, stage) {
    while (!run.abort.signal.aborted && stage.aheadS(this.#element.currentTime) > AHEAD_S) {
      await new Promise((wake) => (run.wake = wake));
    }
  }
}

/** Whether the index knows of a picture to begin with; where there is no index, there probably is one. */
function keyAround({ index }, fromUs) {
  const near = ({ key, startUs }) => key && startUs > fromUs - MOST_LEAD_US && startUs <= fromUs + SOON_US;
  return index === null || index.entries.some(near);
}

function mediaOf(recording, withPicture) {
  const tracks = [...recording.tracks.values()];
  const pictures = tracks.filter((track) => track.picture);
  const used = withPicture ? [...pictures, ...tracks.filter((track) => !track.picture)] : tracks.filter((track) => !track.picture);
  const type = `${withPicture ? "video" : "audio"}/mp4; codecs="${used.map((track) => track.codec).join(",")}"`;
  const leftOut = new Set(withPicture ? [] : pictures.map((track) => track.id));
  return { type, init: initWithout(recording.first, recording.initBytes, leftOut) };
}
