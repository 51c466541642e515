// Something that takes a while and can be stopped: its button, how far it is, and what came of it.

import { problem } from "../page/desk.js";
import { button, h, show } from "../page/dom.js";

/**
 * `begin(label, work)` gives a button; `work({progress, signal})` gives what is told at its end, or null where it was not
 * begun after all. Whoever leaves the recording stops it.
 */
export function workplace(leaving) {
  const said = h("div", { "aria-live": "polite" });
  const buttons = [];
  const begin = (label, work, attributes = {}) => {
    const made = button(label, () => run(work), attributes);
    buttons.push(made);
    return made;
  };
  const run = async (work) => {
    const stop = new AbortController();
    const signal = AbortSignal.any([leaving, stop.signal]);
    const bar = h("progress", { max: 1, value: 0, "aria-label": "How far it is" });
    show(
      said,
      h(
        "div",
        { class: "row" },
        bar,
        button("Stop", () => stop.abort(), { class: "pill" }),
      ),
    );
    for (const one of buttons) one.disabled = true;
    try {
      show(said, await work({ signal, progress: (done, of) => (bar.value = of === 0 ? 1 : done / of) }));
    } catch (error) {
      show(said, signal.aborted ? h("p", { class: "hint", text: "Stopped; nothing was kept." }) : problem(error));
    } finally {
      for (const one of buttons) one.disabled = false;
    }
  };
  return { said, begin };
}
