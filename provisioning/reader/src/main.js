// The reader, put together: what somebody unlocks is shown as a shelf, and what they choose there is opened and played.

import { pageItself } from "./share/itself.js";
import { libraryOf } from "./measures/library.js";
import { courses } from "./page/courses.js";
import { start } from "./page/start.js";
import { onBox, shelf } from "./page/shelf.js";
import { watch } from "./page/watch.js";
import { Desk } from "./page/desk.js";
import { panelsOf } from "./panels.js";

const page = pageItself(); // before anything has changed it
const desk = new Desk(document.querySelector("main"), document.querySelector("header nav"), { page });
const library = libraryOf(onBox);
const panels = panelsOf(library);

function showStart() {
  desk.show((place) => start(place, { desk, opened: showShelf }));
}

function showShelf(clinic) {
  desk.show((place) => shelf(place, { desk, clinic, chosen: showRecording, across: () => showCourses(clinic) }));
}

function showCourses(clinic) {
  const back = () => showShelf(clinic);
  const chosen = (recording) => showRecording(recording, { back: () => showCourses(clinic) });
  desk.show((place) => courses(place, { clinic, library, chosen }), { back });
}

/** `chosen`: `{source, keyring, clinic, title, document, beside, entry, box, preset}`, as the shelf gives it. */
function showRecording(chosen, { back }) {
  const openAt = (other) => showRecording(other, { back });
  desk.show((place) => watch(place, { desk, chosen, openAt, panels }), { back });
}

showStart();
