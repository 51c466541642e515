// A passphrase that nobody can guess and that can be read out: 118 bits in six groups of four letters, as `sotto-clinic` makes
// it up, too (provisioning/passphrases.py).

const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"; // none that is taken for another on paper
const GROUPS = 6;
const GROUP_LETTERS = 4;

export function madeUp() {
  const letters = [];
  while (letters.length < GROUPS * GROUP_LETTERS) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    const fair = byte < Math.floor(256 / LETTERS.length) * LETTERS.length; // else some letters would come more often
    if (fair) letters.push(LETTERS[byte % LETTERS.length]);
  }
  return letters.join("").match(/.{4}/g).join("-");
}
