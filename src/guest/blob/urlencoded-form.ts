import { parseUrlencoded, utf8Decode } from '../shared.ts';
import { addEntry, FormData } from './form-data.ts';

/** The form that a body of type `application/x-www-form-urlencoded` holds. Never fails. */
export function parseUrlencodedForm(bytes: Uint8Array): FormData {
  const data = new FormData();
  const pairs = parseUrlencoded(utf8Decode(bytes));
  for (let i = 0; i < pairs.length; i += 2) addEntry(data, pairs[i] as string, pairs[i + 1] as string);
  return data;
}
