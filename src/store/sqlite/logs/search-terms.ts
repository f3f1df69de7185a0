/** What a search asks for, and how the index of texts is asked: by all that three letters in a row can tell. */

const TERM = /"([^"]*)"|(\S+)/g;
const MAX_TRIGRAMS = 32; // of one search; what they leave is looked at
const OWNER_BASE = 0xf_00_00; // code points for private use
const OWNER_DIGIT = 0x8000;

/** `a "b c"` are `a` and `b c`, in lower case. */
export function toTerms(text: string): string[] {
  return [...text.matchAll(TERM)].map(([, phrase, word]) => (phrase ?? word ?? '').toLowerCase()).filter(Boolean);
}

/** A query of FTS5 for entries of the account that may have the terms; undefined when the index cannot tell. */
export function toMatch(owner: number, terms: readonly string[]): string | undefined {
  const trigrams = new Set(terms.flatMap(toTrigrams));
  if (trigrams.size === 0) return undefined;
  // Whatever a term holds is between quotes, where only a quote means something.
  return [toOwner(owner), ...[...trigrams].slice(0, MAX_TRIGRAMS)]
    .map((trigram) => `"${trigram.replaceAll('"', '""')}"`)
    .join(' AND ');
}

/** Three letters that no alphabet has, so that a search looks at entries of one account, however many others there are. */
export function toOwner(number: number): string {
  const digits = [number / OWNER_DIGIT ** 2, number / OWNER_DIGIT, number];
  return String.fromCodePoint(...digits.map((digit) => OWNER_BASE + (Math.floor(digit) % OWNER_DIGIT)));
}

function toTrigrams(term: string): string[] {
  const points = Array.from(term.toWellFormed()); // code points, as FTS5 has them
  const trigrams = points.slice(2).map((third, at) => `${points[at]}${points[at + 1]}${third}`);
  return trigrams.filter((trigram) => !trigram.includes('\0'));
}
