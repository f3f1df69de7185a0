import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { PlatformError } from '../errors.ts';

const MAX_CHARS = 253; // RFC 1035 §2.3.4, without the final dot
const MAX_LABELS = 10; // each parent of a name may be asked for a proof, one DNS question each
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What would end or change a host in a URL, or is no character of a name: domainToASCII would act on some of it. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u0020\u007f#%*/:<>?@[\\\]^`{|}]/;

/**
 * A host name in its one spelling: lower case, IDN as punycode, no final dot. Throws `badHostname` for IP addresses,
 * single labels (`localhost`), ports, underscores, and whatever else cannot be a name in the public DNS.
 */
export function parseHostname(text: string): string {
  const given = text.endsWith('.') ? text.slice(0, -1) : text;
  if (given === '') throw bad(text, 'it is empty');
  if (given.length > 4 * MAX_CHARS) throw bad(text, `it has ${given.length} characters, limit is ${MAX_CHARS}`);
  if (FORBIDDEN.test(given)) throw bad(text, 'it must be a name alone: no port, path, space or wildcard');
  if (given.includes('_')) throw bad(text, 'a host name has no underscores');
  const name = domainToASCII(given);
  if (name === '') throw bad(text, 'it is not a host name');
  if (isIP(name) !== 0) throw bad(text, 'it is an IP address');
  if (name.length > MAX_CHARS) throw bad(text, `it has ${name.length} characters, limit is ${MAX_CHARS}`);
  const labels = name.split('.');
  const wrong = labels.find((label) => !LABEL.test(label));
  if (wrong !== undefined) {
    throw bad(text, `its part ${quote(wrong)} must be 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`);
  }
  if (labels.length === 1) throw bad(text, 'a name of one part only cannot be owned');
  if (labels.length > MAX_LABELS) throw bad(text, `it has ${labels.length} parts, limit is ${MAX_LABELS}`);
  return name;
}

/** Whether `name` is `zone` or below it. Both in their one spelling. */
export function isWithin(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

function bad(text: string, reason: string): PlatformError {
  return new PlatformError('badHostname', `Bad host name ${quote(text)}: ${reason}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
