// What somebody chose from this computer: sealed files, each with the manifest that lies beside it, if it does.

import { ReaderError } from "../errors.js";

const MOST_MANIFEST_BYTES = 8 << 20;
const SESSION = "session.mp4.age";

/** `[{file, title, document, beside, withdrawn}]`: the sealed recordings among some files. Throws ReaderError where there are none. */
export async function sealedIn(files) {
  const named = files.map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  const whole = named.filter(({ path }) => path.split("/").at(-1) === SESSION);
  const loose = named.filter(({ path }) => path.endsWith(".age") && !path.includes("attachments/"));
  const sealed = whole.length ? whole : loose.length ? loose : named.length === 1 ? named : [];
  if (!sealed.length) {
    throw new ReaderError("no recording", "There is no recording in what you chose.", "Choose session.mp4.age, or the folder that it is in.");
  }
  return sealed.map(({ file, path }) => ({
    file,
    title: titleOf(path),
    document: textBeside(path, named, "manifest.json"),
    rewrapped: textBeside(path, named, "rewrapped.json"),
    beside: attachmentsBeside(path, named),
    withdrawn: named.some((one) => one.path === `${path.slice(0, path.lastIndexOf("/") + 1)}withdrawn`),
  }));
}

function titleOf(path) {
  const parts = path.split("/");
  return parts.at(-1) === SESSION && parts.length > 1 ? parts.at(-2) : parts.at(-1);
}

/** What gives the text of a document beside a file; null where there is none. */
function textBeside(path, named, name) {
  const place = path.slice(0, path.lastIndexOf("/") + 1);
  const found = named.find((one) => one.path === `${place}${name}`);
  return async () => (found && found.file.size <= MOST_MANIFEST_BYTES ? await found.file.text() : null);
}

/** What lies in `attachments/` beside a file. */
function attachmentsBeside(path, named) {
  const place = `${path.slice(0, path.lastIndexOf("/") + 1)}attachments/`;
  return named.filter((one) => one.path.startsWith(place) && one.path.endsWith(".age")).map((one) => one.file);
}
