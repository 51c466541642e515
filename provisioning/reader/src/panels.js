// What stands beside a recording while it is watched: notes, measures, sharing. A panel is `{id, title, open, make(context)}`;
// `make` gives an element, or null where the panel has nothing to say. What is in the context stands in README.md.

import { measuresPanel } from "./measures/panel.js";
import { Drafts, notesPanel } from "./review/panel.js";
import { clipPanel } from "./share/clippanel.js";
import { copyPanel } from "./share/copypanel.js";

/** All of them; `library` as measures/library.js makes it. What they remember, they remember for this visit. */
export const panelsOf = (library) => [notesPanel(new Drafts()), measuresPanel(library), clipPanel, copyPanel];
