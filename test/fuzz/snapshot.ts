/** All that the API shows of an account, so that two looks at it can be compared. */
import type { RawClient } from './client.ts';
import type { Route } from './requests.ts';

/** Ids that paths of an account's things are made of, by parameter. */
export type AccountIds = Readonly<Record<string, readonly string[]>>;

/** Differ from look to look though nothing was changed: when a token was used, what the audit log has, what runs and what it costs, where a form is cut. */
const NOT_STATE = /\/isola\/(?:audit|cells|cost|heap|logs|quota|usage)|\/tokens\/verify|\/user$/;
const VOLATILE = /"(last_used_on|expires_at)":(?:"[^"]*"|null)|-+formdata-[\w-]+/g;
/** Change by themselves in an account that does something: tails end, triggers come due. */
const MOVING = /\/tails$|\/isola\/schedules$/;

/** By path. Every GET route of the API's document, for every combination of the account's ids. */
export async function takeSnapshot(
  client: RawClient,
  { routes, account, ids, token }: { routes: readonly Route[]; account: string; ids: AccountIds; token: string },
): Promise<Map<string, string>> {
  const headers = { authorization: `Bearer ${token}` };
  const paths = routes
    .filter(({ method, path }) => method === 'GET' && path.includes('{account}') && !NOT_STATE.test(path))
    .flatMap(({ path }) => expand(path.replace('{account}', account), ids));
  const state = new Map<string, string>();
  for (const path of paths) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, on one connection
    const { status, text } = await client.send({ method: 'GET', path, headers });
    state.set(path, `${status} ${text.replaceAll(VOLATILE, '')}`);
  }
  return state;
}

/**
 * The paths whose answers differ, of an account that acts: without what changes by itself, and without namespaces that have
 * keys with an end.
 */
export function ownDifferences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const expiring = [...before].filter(([path, text]) => path.endsWith('/keys') && text.includes('"expiration":'));
  const namespaces = expiring.map(([path]) => path.slice(0, -'keys'.length));
  return differences(before, after).filter(
    (path) => !MOVING.test(path) && !namespaces.some((prefix) => path.startsWith(prefix)),
  );
}

/** The paths whose answers differ. */
export function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before].filter(([path, text]) => after.get(path) !== text).map(([path]) => path);
}

function expand(path: string, ids: AccountIds): string[] {
  const name = /\{([\w*]+)\}/.exec(path)?.[1];
  if (name === undefined) return [path];
  return (ids[name] ?? []).flatMap((id) => expand(path.replace(`{${name}}`, encodeURIComponent(id)), ids));
}
