// A box of the kit, spoken to by its interface for programs (docs/api.md). Signing in is by key; the token is in memory
// alone. Nothing else is ever sent with a request: no cookie, no referrer, and never to where the box points elsewhere.

import { concat, text } from "../bytes.js";
import { ReaderError } from "../errors.js";
import * as answers from "./answers.js";
import { answerTo } from "./login.js";

const MOST_JSON_BYTES = 8 << 20;
const QUIET = { mode: "cors", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer", cache: "no-store" };
const LOOKING = ["GET", "HEAD"];
// Boxes let go of a connection that is idle for 20 s.
const WARM_MS = 15_000;
const WARM_CONNECTIONS = 4; // the two ends of a recording and its manifest are asked for at once

export class Box {
  #base;
  #deviceKey;
  #keyring;
  #login;
  #token = null;
  #signing = null;
  #warmedMs = -WARM_MS;

  /** `box`: its part of the kit, whose address was checked there. */
  constructor(box, login, keyring) {
    this.name = box.name;
    this.#base = new URL("/api/v1/", box.address);
    this.#deviceKey = box.device_key;
    this.#login = login;
    this.#keyring = keyring;
  }

  get deviceKey() {
    return this.#deviceKey;
  }

  /** Sign in, once for all who ask at the same time. */
  async signIn() {
    this.#signing ??= this.#signInNow().finally(() => (this.#signing = null));
    await this.#signing;
  }

  async #signInNow() {
    const challenge = answers.challenge(await this.#post("challenges", { login: this.#login }));
    if (!challenge) throw answers.odd(this.name);
    const answer = await answerTo(challenge.sealed, this.#keyring, this.#deviceKey);
    this.#token = answers.granted(await this.#post("tokens", { challenge: challenge.id, answer }));
    if (!this.#token) throw answers.odd(this.name);
  }

  async #post(path, said) {
    const headers = { "Content-Type": "application/json" };
    const answer = await this.#fetch(path, { method: "POST", headers, body: JSON.stringify(said) });
    if (answer.status === 401) throw unknownKey(this.name);
    if (answer.status !== 201) throw this.refusal(answer.status);
    return await this.#json(answer);
  }

  /** The recordings that the person may know of, newest first. */
  async recordings() {
    const found = answers.listing(await this.json("recordings?limit=200"));
    if (!found) throw answers.odd(this.name);
    return found;
  }

  /** What lies beside a recording: its attachments' names and sizes. */
  async attachments(id) {
    const found = answers.attachments(await this.json(`recordings/${id}`));
    if (!found) throw answers.odd(this.name);
    return found;
  }

  /** The sealed bytes of an attachment. */
  async attachment(id, name, sizeBytes) {
    const answer = this.#must(await this.ask(`recordings/${id}/attachments/${name}`));
    return await this.#whole(answer, sizeBytes);
  }

  /** Put what is sealed beside a recording; the name that it got. */
  async attach(id, sealed, { kind } = {}) {
    const headers = { "Content-Type": "application/octet-stream" };
    const path = `recordings/${id}/attachments${kind ? `?kind=${encodeURIComponent(kind)}` : ""}`;
    const answer = await this.ask(path, { method: "POST", headers, body: sealed });
    if (answer.status !== 201) throw this.refusal(answer.status);
    const name = answers.kept(await this.#json(answer));
    if (!name) throw answers.odd(this.name);
    return name;
  }

  /** The manifest, letter for letter as the box signed it. */
  async manifest(id) {
    const answer = this.#must(await this.ask(`recordings/${id}/manifest.json`));
    return text(await this.#upTo(answer, MOST_JSON_BYTES));
  }

  /**
   * Get ready for somebody who is about to open a recording: connections are made now, so that they are not waited for
   * then. Nothing of any recording leaves the box by it. `again`: some were broken off.
   */
  warm({ again = false } = {}) {
    const nowMs = performance.now();
    if (!again && nowMs - this.#warmedMs < WARM_MS) return;
    this.#warmedMs = nowMs;
    for (let count = 0; count < WARM_CONNECTIONS; count += 1) {
      this.ask(sideBySide("me"), { method: "HEAD" }).catch(() => null); // what is wrong is told when something is opened
    }
  }

  async json(path) {
    return await this.#json(this.#must(await this.ask(path)));
  }

  /**
   * One request with the token; where that holds no more, once again with a new one. What only looks shows the token in
   * a header about which browsers ask no permission first, for that would be a way there and back each time (docs/api.md).
   */
  async ask(path, { method = "GET", headers = {}, body, signal } = {}) {
    for (let again = false; ; again = true) {
      if (!this.#token) await this.signIn();
      const shown = LOOKING.includes(method) ? { Accept: `*/*; token=${this.#token}` } : { Authorization: `Bearer ${this.#token}` };
      const answer = await this.#fetch(path, { method, headers: { ...headers, ...shown }, body, signal });
      if (answer.status !== 401 || again) return answer;
      this.#token = null;
    }
  }

  async #fetch(path, options) {
    try {
      return await fetch(new URL(path, this.#base), { ...QUIET, ...options });
    } catch (problem) {
      if (problem?.name === "AbortError") throw problem;
      throw unreachable(this.name);
    }
  }

  /** The parts of a body of exactly so many bytes. */
  async *body(answer, sizeBytes, signal) {
    let left = sizeBytes;
    for await (const part of this.#parts(answer, signal)) {
      left -= part.length;
      if (left < 0) throw answers.odd(this.name);
      yield part;
    }
    if (left > 0) throw brokenOff(this.name);
  }

  async *#parts(answer, signal) {
    const reader = answer.body?.getReader();
    if (!reader) return;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        yield value;
      }
    } catch (problem) {
      if (signal?.aborted || problem instanceof ReaderError) throw problem;
      throw brokenOff(this.name);
    } finally {
      reader.cancel().catch(() => null); // it is over either way
    }
  }

  async #whole(answer, sizeBytes) {
    const parts = [];
    for await (const part of this.body(answer, sizeBytes)) parts.push(part);
    return concat(parts);
  }

  async #upTo(answer, mostBytes) {
    const parts = [];
    let left = mostBytes;
    for await (const part of this.#parts(answer)) {
      left -= part.length;
      if (left < 0) throw answers.odd(this.name);
      parts.push(part);
    }
    return concat(parts);
  }

  async #json(answer) {
    try {
      return JSON.parse(text(await this.#upTo(answer, MOST_JSON_BYTES)));
    } catch (problem) {
      throw problem instanceof ReaderError ? problem : answers.odd(this.name);
    }
  }

  #must(answer) {
    if (answer.status !== 200) throw this.refusal(answer.status);
    return answer;
  }

  /** What is told of an answer with that status. */
  refusal(status) {
    const [what, hint] = SAID[status] ?? [`answers with an error (${status})`, "Try again in a minute."];
    return new ReaderError("refused", `${this.name} ${what}.`, hint);
  }
}

let asked = 0;

/** Browsers ask for an address once at a time: with a number behind it, requests for the same thing go side by side. */
export const sideBySide = (path) => `${path}?${(asked += 1)}`;

const SAID = {
  401: ["does not know your key any more", "Ask your clinic whether your key was changed."],
  403: ["does not let you", "Ask your clinic whether you may."],
  404: ["has no such recording for you", "It may have been erased. Load the list anew."],
  409: ["cannot do that now", "It is still being recorded, or is going to be erased. Try again later."],
  413: ["says that this is too long", "Make it shorter."],
  429: ["is asked too often", "Wait a moment."],
  503: ["cannot note that you look, so it shows nothing", "Tell whoever looks after the box."],
};

const unknownKey = (name) =>
  new ReaderError("unknown key", `${name} does not know your key.`, "Ask your clinic to enter your recipient there.");

const unreachable = (name) =>
  new ReaderError("unreachable", `${name} does not answer.`, "Are you on the clinic's network? Is its certificate known here?");

const brokenOff = (name) =>
  new ReaderError("broken off", `${name} broke off in the middle.`, "Check the network, and go on.");
