/**
 * Every route of the API's own document, asked by another account for things of the victim: 404, and by no word, status or
 * code anything else than for things that do not exist. A route with a parameter that is not known here fails.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ApiDocument, listRoutes, type Route } from '../fuzz/requests.ts';
import { RawClient, type Answer } from '../fuzz/client.ts';
import { differences, takeSnapshot } from '../fuzz/snapshot.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

const VICTIM = 'main';
const MALLORY = 'mallory';
const NOBODY = 'nobody';

/** Parameters that stand for something by themselves, with one that nothing has. Of others the account must be right first. */
const UNKNOWN: Readonly<Record<string, string>> = {
  version: '00000000-0000-4000-8000-000000000000',
  namespace: '0'.repeat(32),
  tail: '00000000-0000-4000-8000-000000000000',
  token: '0'.repeat(32),
  domain: '0'.repeat(32),
  route: '0'.repeat(32),
  zone: '0'.repeat(32),
  zoneName: 'nowhere.example',
};
const NAMES: readonly string[] = ['account', 'name', 'secret', '*'];

/** What gets a request as far as the thing that it names; all others have no body, or any. */
const BODIES: Readonly<Record<string, unknown>> = {
  'PUT /client/v4/accounts/{account}/storage/kv/namespaces/{namespace}': { title: 'mine' },
  'PUT /client/v4/accounts/{account}/storage/kv/namespaces/{namespace}/bulk': [{ key: 'key', value: 'x' }],
  'DELETE /client/v4/accounts/{account}/storage/kv/namespaces/{namespace}/bulk': ['key'],
  'POST /client/v4/accounts/{account}/storage/kv/namespaces/{namespace}/bulk/delete': ['key'],
  'POST /client/v4/accounts/{account}/storage/kv/namespaces/{namespace}/bulk/get': { keys: ['key'] },
  'POST /client/v4/zones/{zone}/workers/routes': { pattern: 'x.mallory.localhost/*', script: 'shop' },
};

type Ids = Readonly<Record<string, string>>;

describe('Every route, asked by another account', { timeout: 120_000 }, () => {
  let platform: TestPlatform;
  let client: RawClient;
  let routes: Route[];
  let scopes: ReadonlyMap<string, string>;
  let token: string;
  let victim: Ids;
  let own: Ids;

  before(async () => {
    platform = await startTestPlatform(['--api-rate', '0']);
    client = new RawClient(platform.controlUrl);
    const { text } = await client.send({ method: 'GET', path: '/openapi.json', headers: {} });
    const document = JSON.parse(text) as ApiDocument;
    routes = listRoutes(document).filter(({ path }) => path.startsWith('/client/v4'));
    scopes = new Map(
      Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations as Record<string, { 'x-isola-scope': string }>).map(
          ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation['x-isola-scope']] as const,
        ),
      ),
    );
    await call('PUT', `/accounts/${MALLORY}/isola/account`, {});
    const made = await call('POST', `/accounts/${MALLORY}/isola/tokens`, {
      name: 'all of it',
      scopes: ['account:read', 'workers:write', 'kv:write', 'tail:read', 'admin'],
    });
    token = made['token']!;
    victim = await populate(VICTIM);
    own = await populate(MALLORY);
  });
  after(async () => {
    client[Symbol.dispose]();
    await platform.stop();
  });

  it('finds nothing in the account, and no difference to one that does not exist', async () => {
    const failures: string[] = [];
    for (const route of routes.filter(({ path }) => path.includes('{account}'))) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that a failure names its request
      const [theirs, none] = [await ask(route, victim), await ask(route, { ...victim, account: NOBODY })];
      // Whoever uploads static files shows a token that is good for nothing else.
      const expected = route.path.endsWith('/workers/assets/upload') ? 401 : 404;
      if (theirs.status !== expected) failures.push(`${describeRoute(route)}: ${theirs.status} ${theirs.text}`);
      if (told(theirs, VICTIM) !== told(none, NOBODY)) failures.push(`${describeRoute(route)}: ${theirs.text}`);
    }
    assert.deepEqual(failures, []);
  });

  it('finds none of its things by their ids, and no difference to ids that nothing has', async () => {
    const failures: string[] = [];
    const seen = new Set<string>();
    for (const route of routes) {
      for (const name of namesOf(route)) {
        if (NAMES.includes(name)) continue;
        const key = toKey(route, name);
        assert.ok(key in UNKNOWN, `${describeRoute(route)}: what is {${name}}?`);
        seen.add(key);
        // oxlint-disable-next-line no-await-in-loop
        const theirs = await ask(route, { ...own, [key]: victim[key]! });
        // oxlint-disable-next-line no-await-in-loop
        const none = await ask(route, { ...own, [key]: UNKNOWN[key]! });
        const isForOperator = scopes.get(describeRoute(route)) === 'admin';
        const isNotFound = theirs.status === 404 || (isForOperator && theirs.status === 403);
        if (!isNotFound) failures.push(`${describeRoute(route)}: ${theirs.status} ${theirs.text}`);
        if (told(theirs, victim[key]!) !== told(none, UNKNOWN[key]!)) {
          failures.push(`${describeRoute(route)}: ${theirs.text} is not ${none.text}`);
        }
      }
    }
    assert.deepEqual(failures, []);
    assert.deepEqual([...seen].toSorted(), Object.keys(UNKNOWN).toSorted());
  });

  it('is told of no zone, token or entry of it in lists of its own', async () => {
    const zones = await client.send({
      method: 'GET',
      path: `/client/v4/zones?name=main.localhost&account.id=${VICTIM}`,
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(zones.status, 404);
    const ids = { name: ['tool', 'shop'], version: [own['version']!], namespace: [own['namespace']!], '*': ['key'] };
    const shown = await takeSnapshot(client, { routes, account: MALLORY, ids, token });
    for (const [path, text] of shown) {
      for (const name of Object.keys(UNKNOWN)) {
        assert.ok(!text.includes(victim[name]!), `${path} shows the victim's ${name}`);
      }
    }
  });

  it('has changed nothing of it', async () => {
    const ids = { name: ['shop'], version: [victim['version']!], namespace: [victim['namespace']!], '*': ['key'] };
    const look = () => takeSnapshot(client, { routes, account: VICTIM, ids, token: platform.token });
    const before = await look();
    for (const route of routes) {
      if (route.method === 'GET' || !route.path.includes('{account}')) continue;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await ask(route, victim);
    }
    assert.deepEqual(differences(before, await look()), []);
    assert.equal((await platform.request('shop', '/')).text, VICTIM);
  });

  function ask(route: Route, ids: Ids): Promise<Answer> {
    const path = route.path.replaceAll(/\{([\w*]+)\}/g, (_, name: string) =>
      encodeURIComponent(ids[toKey(route, name)]!),
    );
    const body = route.method === 'GET' ? undefined : JSON.stringify(BODIES[describeRoute(route)] ?? {});
    return client.send({ method: route.method, path, headers: { authorization: `Bearer ${token}` }, body });
  }

  async function call(method: string, path: string, body?: unknown): Promise<Record<string, string>> {
    const response = await platform.control(path, {
      method,
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `${method} ${path}: ${text}`);
    return (JSON.parse(text) as { result: Record<string, string> }).result;
  }

  /** One thing of every kind, by the parameter that names it. */
  async function populate(account: string): Promise<Ids> {
    const of = `/accounts/${account}`;
    const name = account === VICTIM ? 'shop' : 'tool';
    const script = `${of}/workers/scripts/${name}`;
    const code = `export default { fetch: () => new Response(${JSON.stringify(account)}), scheduled() {} }`;
    const { deployment_id: version = '' } = await call('PUT', script, toUploadForm(code));
    const { id: namespace = '' } = await call('POST', `${of}/storage/kv/namespaces`, { title: 'things' });
    await call('PUT', `${of}/storage/kv/namespaces/${namespace}/bulk`, [{ key: 'key', value: account, metadata: 1 }]);
    const { id: tail = '' } = await call('POST', `${script}/tails`, {});
    const made = await call('POST', `${of}/isola/tokens`, { name: 'ci', scopes: ['workers:read'] });
    const service = { hostname: `www.${account}.localhost`, service: name, environment: 'production' };
    const { id: domain = '' } = await call('PUT', `${of}/workers/domains`, service);
    const zones = (await call('GET', `/zones?name=${account}.localhost&account.id=${account}`)) as unknown as Ids[];
    const zone = zones[0]?.['id'] ?? '';
    const { id: route = '' } = await call('POST', `/zones/${zone}/workers/routes`, {
      pattern: `api.${account}.localhost/*`,
      script: name,
    });
    const zoneName = `${account}.example`;
    await call('PUT', `${of}/isola/zones/${zoneName}`);
    await call('PUT', `${script}/secrets`, { name: 'SECRET', text: 'secret of the account' });
    const named = { account, name, secret: 'SECRET', '*': 'key', zoneName };
    return { ...named, version, namespace, tail, token: made['id']!, domain, zone, route };
  }
});

function namesOf({ path }: Route): string[] {
  return [...path.matchAll(/\{([\w*]+)\}/g)].map(([, name = '']) => name);
}

/** A zone has an id for wrangler, and its name in isola's own routes. */
function toKey({ path }: Route, name: string): string {
  return name === 'zone' && path.includes('/isola/zones/') ? 'zoneName' : name;
}

function describeRoute({ method, path }: Route): string {
  return `${method} ${path}`;
}

/** What an answer says, but for the id that was asked for. */
function told({ status, text }: Answer, id: string): string {
  return `${status} ${text.replaceAll(encodeURIComponent(id), 'ID').replaceAll(id, 'ID')}`;
}
