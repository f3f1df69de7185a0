/** Names of caches, which may be any text, in the letters of a head. */
import { charCodeAt, stringFromCharCode, stringSlice, toDOMString } from '../../core.ts';

/** A name in letters that a head may have: each unit of it that is none is a `%` and four hexadecimal digits. */
export function toId(value: unknown): string {
  const name = toDOMString(value);
  let id = 'n';
  for (let i = 0; i < name.length; i++) {
    const code = charCodeAt(name, i);
    const isPlain = code > 32 && code < 127 && code !== 37;
    id += isPlain ? name[i] : `%${hexDigit(code >> 12)}${hexDigit(code >> 8)}${hexDigit(code >> 4)}${hexDigit(code)}`;
  }
  return id;
}

export function toName(id: string): string {
  let name = '';
  for (let i = 1; i < id.length; i++) {
    if (id[i] !== '%') {
      name += id[i];
      continue;
    }
    name += stringFromCharCode(+`0x${stringSlice(id, i + 1, i + 5)}`);
    i += 4;
  }
  return name;
}

function hexDigit(code: number): string {
  return '0123456789abcdef'[code & 15]!;
}
