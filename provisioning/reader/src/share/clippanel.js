// The panel for sharing a part: from here to there, for one other person, sealed to nobody else.

import { ReaderError } from "../errors.js";
import { button, h } from "../page/dom.js";
import { sealStream, toRecipients } from "../review/sealing.js";
import { SECOND_US, clock } from "../times.js";
import { clip } from "./clip.js";
import { momentUs } from "./moments.js";
import { Downloads } from "./saving.js";
import { soundOnly } from "./sound.js";
import { isWithdrawn, notToBeHandedOn } from "./withdrawn.js";
import { workplace } from "./working.js";

const USUAL_US = 300 * SECOND_US;

export const clipPanel = {
  id: "share",
  title: "Share a part",
  open: false,
  make: (context) => (isWithdrawn(context) ? notToBeHandedOn() : share(context)),
};

function share({ recording, player, clinic, facts, title, signal }) {
  const from = moment("from", "From", player, player.slice?.fromUs ?? 0);
  const to = moment("to", "To", player, player.slice?.toUs ?? Math.min(USUAL_US, player.durationUs));
  player.addEventListener("slice", () => player.slice && [from.set(player.slice.fromUs), to.set(player.slice.toUs)], { signal });
  const whom = person(clinic);
  const only = soundChoice(recording);
  const { said, begin } = workplace(signal);
  const work = async ({ progress, signal: stop }) => {
    const [fromUs, toUs] = span(from, to, player.durationUs);
    const { name, recipient } = whom.chosen();
    let covered = null;
    const cut = only.checked ? soundOnly : clip;
    const plaintext = cut(recording, { fromUs, toUs, progress, signal: stop, told: (told) => (covered = told) });
    const file = `${facts?.id ?? title.replace(/[^\w-]+/g, "-")}-${dashed(fromUs)}-to-${dashed(toUs)}.mp4.age`;
    const { sizeBytes } = await new Downloads().save(file, await sealStream(plaintext, toRecipients([recipient])));
    const size = (sizeBytes / 1e6).toFixed(1);
    return h("p", {
      class: "note",
      text: `${file} holds ${clock(covered.startUs)} to ${clock(covered.endUs)}, ${size} MB, for ${name} alone. Send it as you like: nobody else can open it.`,
    });
  };
  return h(
    "div",
    { class: "share" },
    h("div", { class: "fields" }, from.place, to.place, whom.place),
    only.place,
    h("p", {
      class: "hint",
      text: "It begins and ends with whole fragments of the recording, at most a few seconds around what you choose. Nothing outside them goes along.",
    }),
    h("div", { class: "row" }, begin("Seal and save", work, { class: "main", id: "save-clip" })),
    said,
  );
}

function moment(id, label, player, firstUs) {
  const input = h("input", { type: "text", id: `share-${id}`, inputmode: "numeric", autocomplete: "off" });
  const set = (us) => (input.value = clock(us));
  set(firstUs);
  const place = h(
    "div",
    { class: "labelled" },
    h("label", { for: input.id, text: label }),
    h(
      "div",
      { class: "row" },
      input,
      button("Here", () => set(player.nowUs), { class: "pill", "aria-label": `${label} here` }),
    ),
  );
  return { place, set, us: () => momentUs(input.value) };
}

function span(from, to, durationUs) {
  const [fromUs, toUs] = [from.us(), to.us()];
  if (toUs <= fromUs)
    throw new ReaderError("empty slice", "There is nothing between these two moments.", "Let the second be later than the first.");
  if (fromUs >= durationUs) throw new ReaderError("empty slice", `The recording is over at ${clock(durationUs)}.`, "Begin earlier.");
  return [fromUs, toUs];
}

/** For whom: somebody of the kit, or a recipient that somebody typed. */
function person(clinic) {
  const people = clinic?.kit?.people ?? [];
  const select = h(
    "select",
    { id: "share-person" },
    people.map(({ name }, place) => h("option", { value: place, text: name })),
    h("option", { value: "", text: "somebody else’s recipient…" }),
  );
  const typed = h("input", { type: "text", id: "share-recipient", placeholder: "age1…", autocomplete: "off", "aria-label": "Recipient" });
  const update = () => (typed.hidden = select.value !== "");
  select.addEventListener("change", update);
  update();
  const chosen = () => {
    if (select.value !== "") return people[Number(select.value)];
    const recipient = typed.value.trim();
    if (!/^age1[a-z0-9]{50,3000}$/.test(recipient))
      throw new ReaderError("no recipient", "That is no recipient.", "It begins with age1; whoever is to open it knows theirs.");
    return { name: "that recipient", recipient };
  };
  return { place: h("div", { class: "labelled" }, h("label", { for: select.id, text: "For" }), select, typed), chosen };
}

/** Whether the picture is left out. */
export function soundChoice(recording, id = "share-sound") {
  if (!recording.hasPicture) return { place: null, checked: false };
  const input = h("input", { type: "checkbox", id });
  return {
    place: h("div", { class: "row" }, input, h("label", { for: id, text: "Sound only: not a byte of the picture goes along" })),
    get checked() {
      return input.checked;
    },
  };
}

const dashed = (us) => clock(us).replaceAll(":", "-");
