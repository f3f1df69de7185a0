/** Subresource Integrity: does a body have the digest that its request asks for? */
import { ask, askSync, bytesSlice, regExpExec, stringIndexOf, stringSlice, toLowerCase } from '../core.ts';

const TOKEN = /^[\t\n\f\r ]*([^\t\n\f\r ]+)/;
const METADATA = /^(sha(?:256|384|512))-([A-Za-z0-9+/_-]+)={0,2}(?:\?|$)/i;

/** True when there is no metadata that is understood, or when the body has one of the strongest digests named. */
export async function hasIntegrity(bytes: Uint8Array, metadata: string): Promise<boolean> {
  let strongest = '';
  let wanted = ' ';
  let rest = metadata;
  for (let token = regExpExec(TOKEN, rest); token !== null; token = regExpExec(TOKEN, rest)) {
    rest = stringSlice(rest, token[0].length);
    const found = regExpExec(METADATA, token[1]!);
    if (found === null) continue;
    const algorithm = toLowerCase(found[1]!);
    if (algorithm > strongest) {
      strongest = algorithm;
      wanted = ' ';
    }
    if (algorithm === strongest) wanted += `${toUrlAlphabet(found[2]!)} `;
  }
  return strongest === '' || stringIndexOf(wanted, ` ${await digest(bytes, strongest)} `) !== -1;
}

async function digest(bytes: Uint8Array, algorithm: string): Promise<string> {
  const id = askSync('crypto.openDigest', `SHA-${stringSlice(algorithm, 3)}`).value;
  await ask('crypto.updateDigest', id, bytesSlice(bytes).buffer, () => {});
  const result = new Uint8Array(askSync('crypto.finishDigest', id).bytes!);
  return (result as Uint8Array & { toBase64(options: object): string }).toBase64({
    alphabet: 'base64url',
    omitPadding: true,
  });
}

function toUrlAlphabet(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) result += text[i] === '+' ? '-' : text[i] === '/' ? '_' : text[i]!;
  return result;
}
