// What its client has withdrawn is neither shared nor copied, as long as anything here knows of it: what the signed manifest says
// last of its fate, or the mark in its folder while the two minutes run.

import { h } from "../page/dom.js";

/** Whether a recording is to be erased, as far as that is told here. */
export function isWithdrawn({ facts, withdrawn = false }) {
  const fate = facts?.consent_events?.findLast(({ what }) => what !== "consented");
  return withdrawn || fate?.what === "withdrawn";
}

/** What stands in the place of a way to hand it on. */
export const notToBeHandedOn = () =>
  h("p", { class: "note grave", text: "Its client has withdrawn this recording. It is to be erased: nobody is to share or copy it." });
