// Opens a recording's folder as the reader does when somebody chooses it, and says what it thinks of it.
//
//   node judge.mjs FOLDER IDENTITY

import { openAsBlob, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { Keyring } from "../../../provisioning/reader/src/age/keyring.js";
import { sealedIn } from "../../../provisioning/reader/src/page/folder.js";
import { judge } from "../../../provisioning/reader/src/recording/judging.js";
import { openRecording } from "../../../provisioning/reader/src/recording/recording.js";
import { FileSource } from "../../../provisioning/reader/src/sources/file.js";

Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const [folder, identity] = process.argv.slice(2);
const keyring = new Keyring();
keyring.addIdentities(await readFile(identity, "utf8"));
const files = [];
for (const name of readdirSync(folder)) {
  if (!/\.(age|json)$/.test(name)) continue;
  const blob = await openAsBlob(join(folder, name));
  files.push(Object.assign(blob, { name, webkitRelativePath: `chosen/${name}` }));
}
const [chosen] = await sealedIn(files);
let said;
try {
  const { facts, notes } = await judge(openRecording(new FileSource(chosen.file), keyring), { ...chosen, clinic: null });
  said = { id: facts?.id ?? null, notes: notes.map(({ text }) => text) };
} catch (problem) {
  if (problem?.kind === undefined) throw problem;
  said = { problem: problem.kind };
}
process.stdout.write(JSON.stringify(said));
