import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Random, SEED } from '../../src/guest/testing/random.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';
import { RawClient } from './client.ts';
import { hostileSegment } from './hostile.ts';
import {
  type ApiDocument,
  type FuzzRequest,
  listRoutes,
  type Route,
  type Targets,
  toHostileRequest,
} from './requests.ts';
import { differences, ownDifferences, takeSnapshot } from './snapshot.ts';

const REQUESTS = Number(process.env['ISOLA_FUZZ_REQUESTS'] ?? 20_000);
const PARALLEL = 8;
const LOOKS = 10; // at the state, in the course of all requests

/** In everything that the victim owns and nobody else does. */
const CANARY = 'canary-of-the-victim';
const VICTIM = 'main';
const ATTACKER = 'mallory';
/** Takes ten seconds when it is accepted. */
const PROFILE = /\/isola\/profile(\?|$)/;

interface Sent extends FuzzRequest {
  readonly status: number;
  readonly text: string;
}

describe(`The control API under hostile requests (ISOLA_FUZZ_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  let platform: TestPlatform;
  let client: RawClient;
  let routes: Route[];
  let token: string;
  let targets: Targets;

  before(async () => {
    platform = await startTestPlatform(['--api-rate', '0']);
    client = new RawClient(platform.controlUrl);
    const document = JSON.parse(
      (await client.send({ method: 'GET', path: '/openapi.json', headers: {} })).text,
    ) as ApiDocument;
    // What the operator alone may do is tried with the attacker's token as well.
    routes = listRoutes(document).filter(({ path }) => path.startsWith('/client/v4'));
    await call('PUT', `/accounts/${ATTACKER}/isola/account`, { name: 'Mallory' });
    ({ token } = (await call('POST', `/accounts/${ATTACKER}/isola/tokens`, {
      name: 'all of it',
      scopes: ['account:read', 'workers:read', 'workers:write', 'kv:read', 'kv:write', 'tail:read'],
    })) as { token: string });
    targets = await populate();
  });
  after(async () => {
    client[Symbol.dispose]();
    await platform.stop();
  });

  it(`answers ${REQUESTS} of them: no 500, nothing of the victim's, no change of state by what is refused`, async () => {
    const look = () => takeSnapshot(client, { routes, account: VICTIM, ids: targets.ids, token: platform.token });
    const statuses = new Map<number, number>();
    let replayed = 0;
    let before = await look();
    assert.ok(before.size > 10);
    for (let round = 0; round < LOOKS; round++) {
      const sent: Sent[] = [];
      await Promise.all(
        Array.from({ length: PARALLEL }, async () => {
          for (let i = 0; i < REQUESTS / LOOKS / PARALLEL; i++) {
            const request = toHostileRequest(random.pick(routes), targets, random);
            const headers = { ...request.headers, ...(!random.chance(5) && { authorization: `Bearer ${token}` }) };
            // oxlint-disable-next-line no-await-in-loop -- so many at a time
            const { status, text } = await client.send({ ...request, headers });
            sent.push({ ...request, headers, status, text });
          }
        }),
      );
      for (const request of sent) {
        check(request);
        statuses.set(request.status, (statuses.get(request.status) ?? 0) + 1);
      }
      const now = await look();
      assert.deepEqual(differences(before, now), [], 'the state of the victim has changed');
      before = now;
      // oxlint-disable-next-line no-await-in-loop -- a round is one after the other
      replayed += await replay(
        sent.filter(
          ({ method, path, account, status }) =>
            method !== 'GET' && account !== VICTIM && status >= 400 && !PROFILE.test(path),
        ),
      );
    }
    assert.equal(await workerText(), CANARY);
    console.log('statuses:', Object.fromEntries([...statuses].toSorted(([a], [b]) => a - b)), { replayed });
  });

  /**
   * Sends refused requests again until none of them is accepted: then the attacker's own state, too, is the same behind
   * them as before them. Resolves to their number.
   */
  async function replay(refused: readonly Sent[]): Promise<number> {
    const look = () => takeSnapshot(client, { routes, account: ATTACKER, ids: targets.ids, token: platform.token });
    for (let requests = refused; ;) {
      // oxlint-disable-next-line no-await-in-loop -- one pass after the other
      const before = await look();
      const left: Sent[] = [];
      const accepted: Sent[] = [];
      const queue = requests.values();
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(
        Array.from({ length: PARALLEL }, async () => {
          for (const request of queue) {
            // oxlint-disable-next-line no-await-in-loop -- so many at a time
            const { status } = await client.send(request);
            (status < 400 ? accepted : left).push(request);
          }
        }),
      );
      if (accepted.length === 0) {
        // oxlint-disable-next-line no-await-in-loop
        const changed = ownDifferences(before, await look());
        assert.deepEqual(changed, [], 'refused requests have changed the state of who sent them');
        return left.length;
      }
      requests = left;
    }
  }

  it('answers what is no HTTP with 400, or closes', async () => {
    for (let i = 0; i < 200; i++) {
      const line = random.pick([
        `GET /client/v4/accounts/${hostileSegment(random)} HTTP/1.1`,
        `GET /client/v4/../../../etc/passwd HTTP/1.1`,
        `GET http://169.254.169.254/client/v4/user HTTP/1.1`,
        `PUT /client/v4/accounts/${VICTIM}/workers/scripts/\u0000 HTTP/1.1`,
        `POST /client/v4/accounts/${VICTIM}/isola/account HTTP/9.9`,
        `GET /client/v4/${'x'.repeat(100_000)} HTTP/1.1`,
        `\u0016\u0003\u0001 not TLS`,
      ]);
      const headers = random.pick([
        'Host: x\r\nConnection: close\r\n',
        'Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
        'Host: x\r\nContent-Length: -1\r\n',
        `Host: x\r\nConnection: close\r\nX: ${'y'.repeat(100_000)}\r\n`,
        'Host: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
      ]);
      const answer = await client.sendBytes(`${line}\r\n${headers}\r\n`);
      assert.doesNotMatch(answer, /^HTTP\/1.1 5\d\d/, `${line}\n${headers}`);
      assert.ok(!answer.includes(CANARY));
    }
    assert.equal((await client.send({ method: 'GET', path: '/healthz', headers: {} })).status, 200);
  });

  function check({ method, path, account, headers, body, status, text }: Sent): void {
    const what = `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${String(body).slice(0, 500)}\n→ ${status} ${text.slice(0, 500)}`;
    // A profile has a process of its own, which other requests of the same account may well end.
    assert.ok(status < 500 || (status === 503 && PROFILE.test(path)), what);
    assert.ok(!text.includes(CANARY), `the victim's data: ${what}`);
    // Uploads of static files carry a token of their own, which this is not.
    const isAuthorized = 'authorization' in headers && !path.includes('/workers/assets/upload');
    if (!isAuthorized) assert.ok([400, 401, 404, 414].includes(status), what);
    else if (account === VICTIM)
      assert.ok(status === 404 || status === 414 || (status === 400 && isMalformed(path)), what);
    // An error says what is wrong in the envelope, whatever was asked.
    if (status >= 400) assert.equal(JSON.parse(text).success, false, what);
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await platform.control(path, {
      method,
      body: body instanceof FormData ? body : JSON.stringify(body),
    });
    const text = await response.text();
    assert.equal(response.status, 200, `${method} ${path}: ${text}`);
    return (JSON.parse(text) as { result: unknown }).result;
  }

  async function workerText(): Promise<string> {
    return (await platform.request('secret-shop', '/')).text;
  }

  /** Things of every kind, for both accounts. */
  async function populate(): Promise<Targets> {
    const ids: Record<string, string[]> = { name: [], version: [], '*': ['secret-shop', 'tool'] };
    const add = (name: string, id: string): void => void (ids[name] ??= []).push(id);
    for (const [account, worker, text] of [
      [VICTIM, 'secret-shop', CANARY],
      [ATTACKER, 'tool', 'tool'],
    ] as const) {
      const code = `export default { fetch: () => new Response(${JSON.stringify(text)}) }`;
      const bindings = [{ type: 'plain_text', name: 'TEXT', text }];
      const script = `/accounts/${account}/workers/scripts/${worker}`;
      await call('PUT', script, toUploadForm(code, bindings));
      const { items } = (await call('GET', `${script}/versions`)) as { items: { id: string }[] };
      add('name', worker);
      for (const { id } of items) add('version', id);
      const namespaces = `/accounts/${account}/storage/kv/namespaces`;
      const { id } = (await call('POST', namespaces, { title: text })) as { id: string };
      add('namespace', id);
      await call('PUT', `${namespaces}/${id}/bulk`, [{ key: worker, value: text, metadata: text }]);
    }
    await call('PUT', `/accounts/${VICTIM}/workers/scripts/secret-shop/secrets`, {
      name: 'SECRET',
      text: CANARY,
      type: 'secret_text',
    });
    return { own: ATTACKER, foreign: VICTIM, ids };
  }
});

/** No router gets as far as the account. */
function isMalformed(path: string): boolean {
  try {
    decodeURIComponent(path.split('?', 1)[0] ?? '');
    return false;
  } catch {
    return true;
  }
}
