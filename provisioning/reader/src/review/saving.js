// Saving a review: who is to read it, and where it goes.

import { ReaderError } from "../errors.js";
import { problem } from "../page/desk.js";
import { button, h, show } from "../page/dom.js";
import { Downloads, streamOf } from "../share/saving.js";
import { ShapeError } from "../shape.js";
import { MOST_SEALED_BYTES, reviewBytes, saysSomething } from "./document.js";
import { reviewOf } from "./draft.js";
import { sealForEach } from "./sealing.js";

/** `holder` holds the draft, `id` is the recording's; `saved()` is called once all of what was written lies somewhere. */
export function saving({ context, id, holder, saved }) {
  const { clinic, box, facts } = context;
  const said = h("div", { "aria-live": "polite" });
  const readers = clinic.kit.people.map((person) => reader(person, { chosen: person.mark === facts?.therapist }));
  const save = async (keep, pressed) => {
    pressed.disabled = true;
    try {
      const written = holder.draft;
      const others = readers.filter(({ input }) => input.checked).map(({ person }) => person.recipient);
      const sealed = await sealedReviews(context, id, written, [clinic.person.recipient, ...others]);
      const names = [];
      for (const bytes of sealed) names.push(await keep(bytes, names.length));
      if (holder.draft === written) saved(); // else somebody wrote on meanwhile, and nothing of it is to be lost
      show(said, savedAs(names, others.length));
    } catch (error) {
      show(said, problem(error instanceof ShapeError ? unfit(error) : error));
    } finally {
      pressed.disabled = false;
    }
  };
  const attach = (bytes) => box.attach(id, bytes, { kind: "review" });
  const beside = box && button("Save beside the recording", () => save(attach, beside), { class: "main", id: "save-review" });
  const file = (bytes, number) => download(id, bytes, number);
  const toFile = button("Save as a file", () => save(file, toFile), { id: "save-review-file" });
  return h("div", { class: "saving" }, chooser(readers), h("div", { class: "row" }, beside, toFile), said);
}

function chooser(readers) {
  const nobody = readers.length === 0 && h("p", { class: "hint", text: "Nobody else is in your kit." });
  const legend = h("legend", { text: "Who can read it, beside you" });
  return h(
    "fieldset",
    {},
    legend,
    readers.map(({ line }) => line),
    nobody,
  );
}

function savedAs(names, others) {
  const whom = others === 0 ? "you alone" : `you and ${others} more`;
  return h("p", { class: "note", text: `Saved as ${names.join(" and ")}, for ${whom}.` });
}

async function sealedReviews({ clinic }, recording, draft, recipients) {
  const at = new Date().toISOString();
  const review = reviewOf(draft, { recording, by: clinic.person.mark, at, rubric: clinic.kit.rubric });
  if (!saysSomething(review))
    throw new ReaderError("nothing written", "There is nothing to save yet.", "Write a note, a growth edge or a plan.");
  const sealed = await sealForEach(reviewBytes(review), recipients);
  if (sealed.some((one) => one.length > MOST_SEALED_BYTES)) throw unfit(new ShapeError("the review", "is for too many people at once"));
  return sealed;
}

async function download(id, bytes, number) {
  const name = `review-${id}${number === 0 ? "" : `-${number + 1}`}.age`;
  await new Downloads().save(name, streamOf(bytes));
  return name;
}

function reader(person, { chosen }) {
  const input = h("input", { type: "checkbox", id: `reads-${person.mark}`, checked: chosen });
  return {
    person,
    input,
    line: h("div", { class: "row" }, input, h("label", { for: input.id, text: `${person.name}, ${person.roles.join(" and ")}` })),
  };
}

const unfit = (problem) =>
  new ReaderError("unfit review", `It cannot be saved like this: ${problem.message}.`, "Shorten it, or write it as two.");
