// What a JSON document may look like, said once: each shape takes a value and gives it back, or throws where it differs.
//
// What lies beside a recording was sealed by somebody, and being able to seal is open to all. So nothing of it is used
// before it has the very shape that its document names: no key too many, no text without an end, no number that is none.

export class ShapeError extends Error {
  constructor(where, what) {
    super(`${where} ${what}`);
    this.name = "ShapeError";
  }
}

function demand(holds, where, what) {
  if (!holds) throw new ShapeError(where, what);
}

/** One value and no other. */
export const is = (wanted) => (value, where) => {
  demand(value === wanted, where, `is not ${JSON.stringify(wanted)}`);
  return value;
};

export const oneOf =
  (...wanted) =>
  (value, where) => {
    demand(wanted.includes(value), where, "is none of those that are known");
    return value;
  };

/** Text of so many letters (as Python counts them: code points), and of a pattern where one is given. */
export const text =
  ({ least = 0, most, pattern = null }) =>
  (value, where) => {
    demand(typeof value === "string" && value.isWellFormed(), where, "is no text");
    const letters = value.length > 2 * most ? Infinity : [...value].length;
    demand(letters >= least && letters <= most, where, `has not ${least} to ${most} letters`);
    demand(pattern === null || pattern.test(value), where, "is not written as it has to be");
    return value;
  };

export const number =
  ({ least = -Infinity, most = Infinity } = {}) =>
  (value, where) => {
    demand(typeof value === "number" && Number.isFinite(value), where, "is no number");
    demand(value >= least && value <= most, where, `is not ${least} to ${most}`);
    return value;
  };

export const whole =
  ({ least = Number.MIN_SAFE_INTEGER, most = Number.MAX_SAFE_INTEGER } = {}) =>
  (value, where) => {
    demand(Number.isSafeInteger(value), where, "is no whole number");
    demand(value >= least && value <= most, where, `is not ${least} to ${most}`);
    return value;
  };

export const flag = (value, where) => {
  demand(typeof value === "boolean", where, "is neither true nor false");
  return value;
};

export const maybe = (shape) => (value, where) => (value === null ? null : shape(value, where));

export const list =
  (shape, { least = 0, most }) =>
  (value, where) => {
    demand(Array.isArray(value), where, "is no list");
    demand(value.length >= least && value.length <= most, where, `has not ${least} to ${most} entries`);
    return Object.freeze(value.map((one, index) => shape(one, `${where}[${index + 1}]`)));
  };

/** Keys that somebody else chose, each of one shape and with a value of one. */
export const record =
  (key, shape, { most }) =>
  (value, where) => {
    demand(isObject(value), where, "is no object");
    demand(Object.keys(value).length <= most, where, `has more than ${most} entries`);
    const pairs = Object.entries(value).map(([name, one]) => [key(name, where), shape(one, `${where}.${name}`)]);
    return Object.freeze(Object.fromEntries(pairs));
  };

/** These keys and no others; those in `optional` may be missing, and then have that value. */
export const object =
  (shapes, optional = {}) =>
  (value, where) => {
    demand(isObject(value), where, "is no object");
    const strange = Object.keys(value).find((name) => !Object.hasOwn(shapes, name));
    demand(strange === undefined, where, "has a key that is not known");
    const pairs = Object.entries(shapes).map(([name, shape]) => {
      if (!Object.hasOwn(value, name) && Object.hasOwn(optional, name)) return [name, optional[name]];
      demand(Object.hasOwn(value, name), `${where}.${name}`, "is missing");
      return [name, shape(value[name], `${where}.${name}`)];
    });
    return Object.freeze(Object.fromEntries(pairs));
  };

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The document of that shape in some bytes. Throws ShapeError; never tells of what is in it. */
export function parsed(shape, bytes, { called, mostBytes }) {
  demand(bytes.length <= mostBytes, called, `is larger than ${mostBytes} bytes`);
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ShapeError(called, "is no JSON");
  }
  return shape(value, called);
}
