// The kit, kept in this browser because the person asked for it: locked as it came, and never with its passphrase.

const NAME = "sotto-kit";

export function keep(kit) {
  try {
    localStorage.setItem(NAME, kit);
  } catch {
    // a browser that keeps nothing keeps nothing; the kit is asked for again next time
  }
}

export function kept() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}

export function forget() {
  try {
    localStorage.removeItem(NAME);
  } catch {
    // then nothing was kept either
  }
}
