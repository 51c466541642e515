// Bytes: put together, compared, and written as people and JSON write them.

export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of a base64 text, or null where it is none. */
export function fromBase64(text) {
  if (typeof text !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

export const utf8 = (text) => new TextEncoder().encode(text);

/** The text of some bytes; throws TypeError where they are not UTF-8. */
export const text = (bytes) => new TextDecoder("utf-8", { fatal: true }).decode(bytes);

export const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit number. Times and sizes of recordings stay far below 2^53. */
export const u64 = (data, at) => data.getUint32(at) * 0x1_0000_0000 + data.getUint32(at + 4);

export const fourcc = (bytes, at) => String.fromCharCode(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]);
