// Opens a sealed file with an identity file, cuts it, and seals what was cut; what it covers goes to standard output.
//
//   node cut.mjs RECORDING IDENTITY OUTPUT '{"how": "clip" | "sound", "fromUs": …, "toUs": …, "to": […] | "passphrase": …}'

import { openAsBlob } from "node:fs";
import { open, readFile } from "node:fs/promises";

import { Keyring } from "../../../provisioning/reader/src/age/keyring.js";
import { openRecording } from "../../../provisioning/reader/src/recording/recording.js";
import { byPassphrase, sealStream, toRecipients } from "../../../provisioning/reader/src/review/sealing.js";
import { clip } from "../../../provisioning/reader/src/share/clip.js";
import { soundOnly } from "../../../provisioning/reader/src/share/sound.js";
import { FileSource } from "../../../provisioning/reader/src/sources/file.js";

// Every browser has it; Node.js has it from 22 on.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const [recordingPath, identity, output, words] = process.argv.slice(2);
const { how, fromUs = 0, toUs = Infinity, to, passphrase } = JSON.parse(words);
const keyring = new Keyring();
keyring.addIdentities(await readFile(identity, "utf8"));
const blob = await openAsBlob(recordingPath);
let readBytes = 0;
const source = new FileSource(blob);
const counted = {
  sizeBytes: source.sizeBytes,
  read: (start, length) => ((readBytes += length), source.read(start, length)),
  stream: (start, length, signal) => ((readBytes += length), source.stream(start, length, signal)),
};
const recording = await openRecording(counted, keyring);
let span = null;
const cut = { clip, sound: soundOnly }[how](recording, { fromUs, toUs, told: (covered) => (span = covered) });
const encrypter = passphrase === undefined ? toRecipients(to) : byPassphrase(passphrase);
const file = await open(output, "w");
for await (const part of await sealStream(cut, encrypter)) await file.write(part);
await file.close();
process.stdout.write(JSON.stringify({ ...span, readBytes }));
