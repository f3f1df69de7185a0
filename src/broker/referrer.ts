/** `Referer` and `Origin` of each hop, for a guest that says where it comes from (Referrer Policy; Fetch, section 3.1). */

/** Where a request comes from. */
export interface Client {
  /** The page it was made by, or empty. */
  readonly referrer: string;
  readonly policy: string;
  /** Its origin, or empty where there is none. */
  readonly origin: string;
  /** A redirect led away from a third origin: nobody may learn where it began. */
  readonly tainted: boolean;
  /** It has left its own origin. */
  readonly cors: boolean;
}

const DEFAULT_POLICY = 'strict-origin-when-cross-origin';
const POLICIES = new Set([
  'no-referrer',
  'no-referrer-when-downgrade',
  'same-origin',
  'origin',
  'strict-origin',
  'origin-when-cross-origin',
  DEFAULT_POLICY,
  'unsafe-url',
]);
const MAX_REFERRER_CHARS = 4096; // beyond, only the origin is told: Referrer Policy, section 8.3

/** From what follows the redirect mode in a head: `policy referrer origin`. Nothing there is the rule. */
export function parseClient(policy: string | undefined, referrer = '', origin = ''): Client | undefined {
  if (policy === undefined) return undefined;
  return { referrer, policy: POLICIES.has(policy) ? policy : DEFAULT_POLICY, origin, tainted: false, cors: false };
}

/** The headers that say it. */
export function clientHeaders(client: Client, url: URL, method: string): string[] {
  const headers: string[] = [];
  const referrer = toReferrer(client, url);
  if (referrer !== '') headers.push('referer', referrer);
  const isCors = client.cors || url.origin !== client.origin;
  if (client.origin !== '' && (isCors || (method !== 'GET' && method !== 'HEAD'))) {
    headers.push('origin', client.tainted ? 'null' : client.origin);
  }
  return headers;
}

/** After a redirect from one URL to another, which may set another policy. */
export function redirectClient(client: Client, from: URL, { to, policy }: { to: URL; policy: string }): Client {
  const given = policy
    .split(',')
    .map((token) => token.trim().toLowerCase())
    .findLast((token) => POLICIES.has(token));
  const leavesThird = from.origin !== to.origin && from.origin !== client.origin;
  return {
    ...client,
    // What the last hop was told is all that later ones may learn.
    referrer: toReferrer(client, from),
    policy: given ?? client.policy,
    tainted: client.tainted || leavesThird,
    cors: client.cors || from.origin !== client.origin,
  };
}

function toReferrer({ referrer, policy }: Client, target: URL): string {
  const url = URL.parse(referrer);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return '';
  url.username = '';
  url.password = '';
  url.hash = '';
  const origin = `${url.origin}/`;
  const whole = url.href.length > MAX_REFERRER_CHARS ? origin : url.href;
  const isSame = url.origin === target.origin;
  const isDowngrade = isTrustworthy(url) && !isTrustworthy(target);
  switch (policy) {
    case 'no-referrer':
      return '';
    case 'origin':
      return origin;
    case 'unsafe-url':
      return whole;
    case 'same-origin':
      return isSame ? whole : '';
    case 'strict-origin':
      return isDowngrade ? '' : origin;
    case 'origin-when-cross-origin':
      return isSame ? whole : origin;
    case 'no-referrer-when-downgrade':
      return isDowngrade ? '' : whole;
    default:
      if (isSame) return whole;
      return isDowngrade ? '' : origin;
  }
}

/** Secure Contexts, section 3.1: what is on this very machine cannot be listened to on the way. */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:.+\.)?localhost$|^127(?:\.\d+){3}$|^\[::1\]$/.test(hostname);
}
