/** Text for the fonts that every PDF reader has: they know the characters of Windows-1252. */

// Those of 0x80 to 0x9f; the others stand where they do in Unicode.
const SPECIAL = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

/** What the fonts do not have becomes `?`, controls a space. */
export function toPrintable(text: string): string {
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return ' ';
    return code <= 0xff || SPECIAL.has(character) ? character : '?';
  }).join('');
}

/** `1234567.5` as `1,234,567.5`. */
export function groupDigits(decimal: string): string {
  const [whole = '', fraction] = decimal.split('.');
  const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}
