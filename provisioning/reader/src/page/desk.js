// One thing at a time is on the page: where it stands, the way back from it, and what it has to be told when it goes.

import { told } from "../errors.js";
import { button, h, icon, show } from "./dom.js";

export class Desk {
  #place;
  #nav;
  #leave = null;

  /** `page`: the reader's own file, letter for letter. */
  constructor(place, nav, { page }) {
    this.page = page;
    this.#place = place;
    this.#nav = nav;
  }

  /** Show something: `make(place)` fills the place, and gives what is to be called when it goes, if anything. */
  show(make, { back = null } = {}) {
    this.#leave?.();
    show(this.#place);
    show(this.#nav, back && button("Back", back, { drawing: icon("M15 5l-7 7 7 7"), class: "quiet" }));
    window.scrollTo(0, 0);
    this.#leave = make(this.#place) ?? null;
    this.#place.querySelector("h1, [autofocus]")?.focus();
  }

  /** Forget everything: keys, tokens, what was opened. */
  lock() {
    location.reload();
  }
}

/** What is told of a failure, for a place of its own; it is read out as soon as it is there. */
export function problem(error, ...more) {
  const { what, hint, kind } = told(error);
  return h("div", { class: "problem", role: "alert", "data-kind": kind }, h("p", { class: "what", text: what }), h("p", { text: hint }), more);
}
