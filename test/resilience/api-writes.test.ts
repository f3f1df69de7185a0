import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Random, SEED } from '../../src/guest/testing/random.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

const WRITES = 200;
const WRITES_BETWEEN_KILLS = 20;
const PARALLEL = 3; // of different things, so that a kill meets several writes

/** One thing that writes change and that can be read: a Worker's answer, an account's name, where a route leads. */
interface Thing {
  /** Asks for the change. Resolves when the API has answered 200; rejects when it has not answered. */
  write(value: string): Promise<void>;
  /** As it is now, or '' when it is not there. */
  read(): Promise<string>;
  /** What reads after a write of this value, where it is not the value itself. */
  toValue?(value: string): string;
}

/** What a thing may be after a crash: what was acknowledged last, or what was asked for and not acknowledged. */
interface Expected {
  acknowledged: string;
  pending: string | undefined;
}

describe(`200 random writes of the API, with kill -9 in between (ISOLA_FUZZ_SEED=${SEED})`, () => {
  const random = new Random(SEED);
  const things = new Map<string, Thing>();
  const expected = new Map<string, Expected>();
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform(['--api-rate', '0']);
    await callOk('PUT', '/accounts/acme/isola/account', { name: 'Acme' });
    addWorkers();
    addSettings();
    await addSecretAndCron();
    await addKvKey();
    await addRouting();
    await addShares();
    await addToken();
    for (const [name, thing] of things) expected.set(name, { acknowledged: await thing.read(), pending: undefined });
  });
  after(() => platform.stop());

  it('nothing that was acknowledged is lost, and nothing half-done is there', async () => {
    let value = 0;
    let kills = 0;
    for (let written = 0; written < WRITES;) {
      const killAfter = 1 + random.below(WRITES_BETWEEN_KILLS);
      const names = [...things.keys()];
      const writers = Array.from({ length: PARALLEL }, async (_, lane) => {
        // Each lane has things of its own: of one thing, one write is under way at a time.
        const own = names.filter((_name, i) => i % PARALLEL === lane);
        for (let i = 0; i < killAfter; i++) {
          const name = random.pick(own);
          // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
          if (!(await tryWrite(name, random.chance(12) ? '' : `value-${++value}`))) return;
        }
      });
      // All but the last writes have been answered; the kill comes somewhere within those.
      await Promise.race(writers);
      for (let turns = random.below(40); turns > 0; turns--) await setImmediate();
      await platform.restart('SIGKILL');
      await Promise.all(writers);
      kills++;
      written += killAfter * PARALLEL;
      await compare(`after kill ${kills}, ${written} writes`);
    }
    assert.ok(kills >= 3);
  });

  /** False when the platform was gone before it answered. */
  async function tryWrite(name: string, value: string): Promise<boolean> {
    const state = expected.get(name)!;
    const thing = things.get(name)!;
    const written = thing.toValue?.(value) ?? value;
    state.pending = written;
    try {
      await thing.write(value);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return false; // the connection broke
    }
    state.acknowledged = written;
    state.pending = undefined;
    return true;
  }

  async function compare(when: string): Promise<void> {
    for (const [name, thing] of things) {
      const state = expected.get(name)!;
      // oxlint-disable-next-line no-await-in-loop -- in order, so that a failure names the first
      const actual = await thing.read();
      const possible = [state.acknowledged, ...(state.pending === undefined ? [] : [state.pending])];
      assert.ok(possible.includes(actual), `${when}: ${name} is '${actual}', not ${possible.join(' or ')}`);
      state.acknowledged = actual;
      state.pending = undefined;
    }
  }

  function addWorkers(): void {
    for (const name of ['one', 'two', 'three']) {
      const script = `/accounts/main/workers/scripts/${name}`;
      things.set(`Worker ${name}`, {
        write: (value) =>
          value === ''
            ? callOk('DELETE', script, undefined, [200, 404])
            : callOk(
                'PUT',
                script,
                toUploadForm(`export default { fetch: () => new Response(${JSON.stringify(value)}) }`),
              ),
        read: async () => {
          const { status, text } = await platform.request(name, '/');
          // The newest version is the one that serves, and is listed: neither without the other.
          const listed = await call('GET', `${script}/deployments`);
          assert.equal(listed.status, status, `${name} serves ${status}, its deployments are ${listed.status}`);
          return status === 404 ? '' : text;
        },
      });
    }
  }

  function addSettings(): void {
    things.set('name of account acme', {
      write: (value) => callOk('PUT', '/accounts/acme/isola/account', { name: value || 'Acme' }),
      read: async () => {
        const { result } = await call('GET', '/accounts/acme');
        const { name } = result as { name: string };
        return name === 'Acme' ? '' : name;
      },
    });
  }

  /** Of one Worker, which tells its secret. */
  async function addSecretAndCron(): Promise<void> {
    const script = '/accounts/main/workers/scripts/vault';
    const code = `export default { fetch: (request, env) => new Response(env.SECRET ?? ''), scheduled() {} }`;
    await callOk('PUT', script, toUploadForm(code));
    things.set('secret of Worker vault', {
      write: (text) =>
        text === ''
          ? callOk('DELETE', `${script}/secrets/SECRET`, undefined, [200, 404])
          : callOk('PUT', `${script}/secrets`, { name: 'SECRET', text }),
      read: async () => (await platform.request('vault', '/')).text,
    });
    const toCron = (value: string): string =>
      `${Number(value.slice(6)) % 60} ${Math.floor(Number(value.slice(6)) / 60)} * * *`;
    const toText = (cron: string): string => {
      const [minute = '', hour = ''] = cron.split(' ');
      return `value-${Number(minute) + 60 * Number(hour)}`;
    };
    things.set('cron trigger of Worker vault', {
      write: (value) => callOk('PUT', `${script}/schedules`, value === '' ? [] : [{ cron: toCron(value) }]),
      read: async () => {
        const { result } = await call('GET', `${script}/schedules`);
        const { schedules } = result as { schedules: { cron: string }[] };
        return schedules.map(({ cron }) => toText(cron)).join();
      },
    });
  }

  /** Host names of one Worker: a route, a custom domain, and whether it has its default URL. */
  async function addRouting(): Promise<void> {
    const script = '/accounts/main/workers/scripts/routed';
    const code = `export default { fetch: (request) => new Response(new URL(request.url).pathname) }`;
    await callOk('PUT', script, toUploadForm(code));
    const serves = async (label: string, path: string): Promise<boolean> =>
      (await platform.request(label, path)).status === 200;
    things.set('route of Worker routed', {
      write: (value) => callOk('PUT', `${script}/routes`, value === '' ? [] : [`api.main.localhost/${value}`]),
      read: async () => {
        const routes = (await call('GET', `${script}/routes`)).result as { pattern: string }[];
        const value = routes.map(({ pattern }) => pattern.split('/')[1]).join();
        assert.ok(value === '' || (await serves('api', `/${value}`)), `${value} is a route and does not serve`);
        assert.equal(await serves('api', '/nothing'), false);
        return value;
      },
    });
    things.set('custom domain of Worker routed', {
      write: (value) =>
        callOk('PUT', `${script}/domains/records`, {
          origins: value === '' ? [] : [{ hostname: `${value}.main.localhost` }],
        }),
      read: async () => {
        const domains = (await call('GET', '/accounts/main/workers/domains')).result as { hostname: string }[];
        const value = domains.map(({ hostname }) => hostname.split('.')[0]).join();
        assert.ok(value === '' || (await serves(value, '/')), `${value} is a domain and does not serve`);
        return value;
      },
    });
    things.set('default URL of Worker routed', {
      // Two states only: the value is one of them.
      write: (value) => callOk('POST', `${script}/subdomain`, { enabled: value !== '' }),
      read: async () => {
        const { enabled } = (await call('GET', `${script}/subdomain`)).result as { enabled: boolean };
        assert.equal(await serves('routed', '/'), enabled);
        return enabled ? 'on' : '';
      },
      toValue: (value) => (value === '' ? '' : 'on'),
    });
  }

  /** How two versions of one Worker share its traffic. */
  async function addShares(): Promise<void> {
    const script = '/accounts/main/workers/scripts/shared';
    for (const text of ['a', 'b']) {
      await callOk('PUT', script, toUploadForm(`export default { fetch: () => new Response('${text}') }`));
    }
    const { items } = (await call('GET', `${script}/versions`)).result as { items: { id: string }[] };
    const [b, a] = items.map(({ id }) => id);
    const toShare = (value: string): string => (value === '' ? '100' : String(1 + (Number(value.slice(6)) % 99)));
    things.set('shares of Worker shared', {
      write: (value) => {
        const share = Number(toShare(value));
        const versions = [
          { version_id: a, percentage: share },
          { version_id: b, percentage: 100 - share },
        ].filter(({ percentage }) => percentage > 0);
        return callOk('POST', `${script}/deployments`, { versions });
      },
      read: async () => {
        const { deployments } = (await call('GET', `${script}/deployments`)).result as {
          deployments: { versions: { version_id: string; percentage: number }[] }[];
        };
        const versions = deployments[0]?.versions ?? [];
        assert.equal(
          versions.reduce((sum, { percentage }) => sum + percentage, 0),
          100,
        );
        return String(versions.find(({ version_id: id }) => id === a)?.percentage ?? 0);
      },
      toValue: toShare,
    });
  }

  /** Of account acme there is one at most: the newest opens the API, and those that were revoked do not. */
  async function addToken(): Promise<void> {
    const path = '/accounts/acme/isola/tokens';
    const secrets = new Map<string, string>();
    const list = async () => {
      const tokens = (await call('GET', path)).result as { id: string; name: string }[];
      return tokens.toSorted((x, y) => Number(x.name.slice(6)) - Number(y.name.slice(6)));
    };
    const opens = async (secret: string): Promise<boolean> =>
      (await fetch(`${platform.controlUrl}/client/v4/user`, { headers: { authorization: `Bearer ${secret}` } })).ok;
    things.set('token of account acme', {
      write: async (name) => {
        const before = await list();
        if (name !== '') {
          const made = await call('POST', path, { name, scopes: ['workers:read'] });
          assert.equal(made.status, 200, made.text);
          secrets.set(name, (made.result as { token: string }).token);
        }
        // The newest last: it is the one that counts.
        for (const { id } of before) await callOk('DELETE', `${path}/${id}`, undefined, [200, 404]);
      },
      read: async () => {
        const tokens = await list();
        const newest = tokens.at(-1)?.name ?? '';
        for (const [name, secret] of secrets) {
          const isListed = tokens.some((token) => token.name === name);
          assert.equal(await opens(secret), isListed, `the token ${name}`);
          if (!isListed) secrets.delete(name);
        }
        return newest;
      },
    });
  }

  async function addKvKey(): Promise<void> {
    const { result } = await call('POST', '/accounts/main/storage/kv/namespaces', { title: 'things' });
    const path = `/accounts/main/storage/kv/namespaces/${(result as { id: string }).id}`;
    things.set('title of a KV namespace', {
      write: (value) => callOk('PUT', path, { title: value || 'things' }),
      read: async () => {
        const { title } = (await call('GET', path)).result as { title: string };
        return title === 'things' ? '' : title;
      },
    });
    for (const key of ['one', 'two']) {
      things.set(`KV key ${key}`, {
        write: (value) =>
          value === ''
            ? callOk('DELETE', `${path}/values/${key}`)
            : callOk('PUT', `${path}/bulk`, [{ key, value, metadata: value }]),
        read: async () => {
          const got = await call('POST', `${path}/bulk/get`, { keys: [key], withMetadata: true });
          const entry = (got.result as { values: Record<string, { value: string; metadata: string } | null> }).values[
            key
          ];
          assert.equal(entry?.metadata, entry?.value);
          return entry?.value ?? '';
        },
      });
    }
  }

  async function callOk(
    method: string,
    path: string,
    body?: unknown,
    statuses: readonly number[] = [200],
  ): Promise<void> {
    const { status, text } = await call(method, path, body);
    assert.ok(statuses.includes(status), `${method} ${path}: ${status} ${text}`);
  }

  async function call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; text: string; result: unknown }> {
    const response = await platform.control(path, {
      method,
      ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, result: (JSON.parse(text) as { result: unknown }).result };
  }
});
