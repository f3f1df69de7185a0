/** `application/x-www-form-urlencoded` (URL standard, section 5). */
import { FORM, percentDecode, percentEncode } from './percent.ts';

/** Names and values in turn: `[name, value, name, value ...]`. */
export type Pairs = string[];

export function parseUrlencoded(text: string): Pairs {
  const pairs: Pairs = [];
  const { length } = text;
  let start = 0;
  while (start < length) {
    let end = text.indexOf('&', start);
    if (end < 0) end = length;
    if (end > start) {
      const equals = text.indexOf('=', start);
      if (equals < 0 || equals >= end) {
        pairs.push(decode(text.slice(start, end)), '');
      } else {
        pairs.push(decode(text.slice(start, equals)), decode(text.slice(equals + 1, end)));
      }
    }
    start = end + 1;
  }
  return pairs;
}

export function serializeUrlencoded(pairs: Pairs): string {
  let text = '';
  for (let i = 0; i < pairs.length; i += 2) {
    if (i > 0) text += '&';
    text += `${percentEncode(pairs[i] as string, FORM)}=${percentEncode(pairs[i + 1] as string, FORM)}`;
  }
  return text;
}

function decode(text: string): string {
  return percentDecode(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
