import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_BINDINGS, MAX_SECRET_BYTES } from '../limits.ts';
import type { AccountId } from '../ids.ts';
import type { Binding } from '../model.ts';
import { openVersion } from '../secrets/index.ts';
import { HELLO, MAIN, openTestControl, servingVersion, type TestControl } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';
const LATEST = '/workers/workers/hello/versions/latest';

/** The bindings that a cell gets of the version that serves. */
async function served(control: TestControl): Promise<Record<string, unknown>> {
  return values((await openVersion(control, (await servingVersion(control))!))!.spec.bindings);
}

async function newest(control: TestControl): Promise<Record<string, unknown>> {
  const [version] = await control.registry.listVersions(MAIN, HELLO, { limit: 1 });
  return values((await openVersion(control, version!.spec.id))!.spec.bindings);
}

function values(bindings: readonly Binding[]): Record<string, unknown> {
  return Object.fromEntries(bindings.map((binding) => [binding.name, 'text' in binding ? binding.text : binding.type]));
}

function put(control: TestControl, name: string, text: string, path = SCRIPT) {
  return control.request('PUT', `${path}/secrets`, { name, text, type: 'secret_text' });
}

describe('PUT …/secrets', () => {
  it('makes a new version of the same code with the secret, and deploys it at once', async () => {
    await using control = await openTestControl();
    const first = await control.upload(SCRIPT, {});
    const { status, result } = await put(control, 'KEY', 'canary');
    assert.deepEqual([status, result], [200, { name: 'KEY', type: 'secret_text' }]);
    assert.deepEqual(await served(control), { KEY: 'canary' });
    const [version, base] = await control.registry.listVersions(MAIN, HELLO);
    assert.equal(base!.spec.id, first.result.deployment_id);
    assert.deepEqual([version!.modules, version!.annotations], [base!.modules, { 'workers/triggered_by': 'secret' }]);
    assert.deepEqual(
      values(control.platform.checked.at(-1)!.spec.bindings),
      { KEY: 'canary' },
      'it was started with it',
    );
    assert.equal(control.platform.published.length, 2);
  });

  it('is the only way a value goes: no answer and no row has it', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    await put(control, 'KEY', 'canary');
    const answers = [
      await control.request('GET', `${SCRIPT}/secrets`),
      await control.request('GET', `${SCRIPT}/secrets/KEY`),
      await control.request('GET', `${SCRIPT}/settings`),
      await control.request('GET', `${SCRIPT}/versions`),
      await control.request('GET', `${SCRIPT}/versions/${await servingVersion(control)}`),
      await control.registry.listVersions(MAIN, HELLO),
    ];
    assert.doesNotMatch(JSON.stringify(answers), /canary|"fingerprint/);
    assert.doesNotMatch(JSON.stringify(answers.slice(0, -1)), /sealed/);
    assert.deepEqual((answers[0] as { result: unknown }).result, [{ name: 'KEY', type: 'secret_text' }]);
  });

  it('answers 10007 for a Worker that does not exist; after the draft that wrangler then makes, it works', async () => {
    await using control = await openTestControl();
    assert.deepEqual(code(await put(control, 'KEY', 'v')), [404, 10007]);
    await control.upload(SCRIPT, {
      metadata: { main_module: 'hello', bindings: [], logpush: false },
      modules: { hello: 'export default { fetch() {} }' },
    });
    assert.equal((await put(control, 'KEY', 'v')).status, 200);
    assert.deepEqual(await served(control), { KEY: 'v' });
  });

  it('answers 10215 while the newest version does not have all traffic', async () => {
    await using control = await openTestControl();
    const first = await control.upload(SCRIPT, {});
    const second = await control.upload(`${SCRIPT}/versions`, { modules: { 'index.js': 'export default {}' } });
    assert.deepEqual(code(await put(control, 'KEY', 'v')), [400, 10215]);
    const share = (version_id: string, percentage: number) => ({ version_id, percentage });
    await control.request('POST', `${SCRIPT}/deployments`, {
      versions: [share(first.result.deployment_id, 50), share(second.result.id, 50)],
    });
    assert.deepEqual(code(await put(control, 'KEY', 'v')), [400, 10215]);
    await control.request('POST', `${SCRIPT}/deployments`, { versions: [share(second.result.id, 100)] });
    assert.equal((await put(control, 'KEY', 'v')).status, 200);
  });

  it(`takes values up to ${MAX_SECRET_BYTES} bytes of UTF-8`, async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    assert.equal((await put(control, 'KEY', 'ä'.repeat(MAX_SECRET_BYTES / 2))).status, 200);
    const { errors } = await put(control, 'KEY', `${'ä'.repeat(MAX_SECRET_BYTES / 2)}x`);
    assert.equal(
      errors[0]?.message,
      `Cannot store secret 'KEY': its value is 5121 bytes, limit is ${MAX_SECRET_BYTES}`,
    );
  });

  it('takes names as bindings have them, each once, and no more than fit', async () => {
    await using control = await openTestControl();
    const vars = Array.from({ length: MAX_BINDINGS - 1 }, (_, i) => ({ name: `V${i}`, type: 'plain_text', text: '' }));
    await control.upload(SCRIPT, { metadata: { main_module: 'index.js', bindings: vars } });
    assert.equal((await put(control, 'N'.repeat(256), 'v')).status, 200);
    assert.match((await put(control, 'ONE_MORE', 'v')).errors[0]!.message, /257 bindings, limit is 256/);
    for (const name of ['', '__proto__', 'N'.repeat(257)]) {
      assert.deepEqual(code(await put(control, name, 'v')), [400, 10001], name);
    }
    assert.deepEqual(code(await put(control, 'V0', 'v')), [409, 10352]);
  });

  it('changes nothing when the code does not start with it', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    const before = await servingVersion(control);
    control.platform.checkResult = { ok: false, message: 'Error: bad key' };
    assert.deepEqual(code(await put(control, 'KEY', 'v')), [400, 10021]);
    assert.equal(await servingVersion(control), before);
  });

  it('loses none of many that are put at the same time, nor one put during an upload', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    const names = Array.from({ length: 10 }, (_, i) => `S${i}`);
    const upload = { modules: { 'index.js': 'export default { fetch() { return 2 } }' } };
    await Promise.all([
      ...names.slice(0, 5).map((name) => put(control, name, name)),
      control.upload(SCRIPT, upload),
      ...names.slice(5).map((name) => put(control, name, name)),
    ]);
    assert.deepEqual(Object.keys(await served(control)).toSorted(), names);
  });
});

describe('DELETE …/secrets/:secret', () => {
  it('takes it away in a new version; again is 10351', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    await put(control, 'a/b', 'v');
    const path = `${SCRIPT}/secrets/a%2Fb?url_encoded=true`;
    assert.equal((await control.request('DELETE', path)).status, 200);
    assert.deepEqual(await served(control), {});
    assert.deepEqual(code(await control.request('DELETE', path)), [404, 10351]);
    assert.deepEqual(code(await control.request('GET', `${SCRIPT}/secrets/nope`)), [404, 10351]);
  });
});

describe('PATCH …/secrets-bulk', () => {
  it('puts and deletes in one version', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    await put(control, 'A', 'old');
    const secrets = { A: null, MISSING: null, B: { name: 'B', text: 'two', type: 'secret_text' } };
    const { result } = await control.request('PATCH', `${SCRIPT}/secrets-bulk`, { secrets });
    assert.deepEqual(result, [{ name: 'B', type: 'secret_text' }]);
    assert.deepEqual(await served(control), { B: 'two' });
    assert.equal((await control.registry.listVersions(MAIN, HELLO)).length, 3);
  });
});

describe('PATCH …/versions/latest', () => {
  it('makes a version of the newest one that does not serve', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    const annotations = { 'workers/message': 'why', 'workers/tag': null };
    for (const [name, text] of [
      ['A', 'one'],
      ['B', 'two'],
    ] as const) {
      const { result } = await control.request('PATCH', LATEST, {
        env: { [name]: { type: 'secret_text', text } },
        annotations,
      });
      assert.deepEqual(result.annotations, { 'workers/triggered_by': 'secret', 'workers/message': 'why' });
    }
    assert.deepEqual(await newest(control), { A: 'one', B: 'two' });
    assert.deepEqual(await served(control), {});
    await control.request('PATCH', LATEST, { env: { A: null } });
    assert.deepEqual(await newest(control), { B: 'two' });
  });

  it('is 10007 without a Worker', async () => {
    await using control = await openTestControl();
    assert.deepEqual(code(await control.request('PATCH', LATEST, { env: {} })), [404, 10007]);
  });
});

describe('an upload', () => {
  const metadata = (rest: object) => ({
    metadata: { main_module: 'index.js', compatibility_date: '2026-01-01', ...rest },
  });
  const prepare = async (control: TestControl): Promise<void> => {
    const bindings = [
      { name: 'VAR', type: 'plain_text', text: 'var' },
      { name: 'SECRET', type: 'secret_text', text: 'secret' },
    ];
    await control.upload(SCRIPT, metadata({ bindings }));
  };

  for (const [what, rest, expected] of [
    ['keeps secrets when it says so', { keep_bindings: ['secret_text', 'secret_key'] }, { SECRET: 'secret' }],
    ['keeps secrets when it says nothing, as older wranglers do', {}, { SECRET: 'secret' }],
    ['keeps vars too', { keep_bindings: ['plain_text', 'json', 'secret_text'] }, { VAR: 'var', SECRET: 'secret' }],
    ['keeps no secrets when it names others', { keep_bindings: ['secret_key'] }, {}],
    [
      'may bring secrets',
      { bindings: [{ name: 'NEW', type: 'secret_text', text: 'n' }] },
      { NEW: 'n', SECRET: 'secret' },
    ],
    ['may inherit one', { keep_bindings: [], bindings: [{ name: 'SECRET', type: 'inherit' }] }, { SECRET: 'secret' }],
    [
      'may inherit one under another name',
      { keep_bindings: [], bindings: [{ name: 'S2', type: 'inherit', old_name: 'SECRET' }] },
      { S2: 'secret' },
    ],
  ] as const) {
    it(what, async () => {
      await using control = await openTestControl();
      await prepare(control);
      assert.equal((await control.upload(`${SCRIPT}/versions`, metadata(rest))).status, 200);
      assert.deepEqual(await newest(control), expected);
    });
  }

  it('that inherits what is not there is refused with the text wrangler looks for', async () => {
    await using control = await openTestControl();
    await prepare(control);
    const { status, errors } = await control.upload(
      `${SCRIPT}/versions?bindings_inherit=strict`,
      metadata({ bindings: [{ name: 'NOPE', type: 'inherit' }] }),
    );
    assert.deepEqual([status, errors[0]!.code], [400, 10057]);
    assert.match(errors[0]!.message, /^inherit binding 'NOPE' is invalid/);
  });

  it('sent again within a minute makes no second version, unless something came in between', async () => {
    let now = Date.now();
    await using control = await openTestControl({ now: () => now });
    const count = async (): Promise<number> => (await control.registry.listVersions(MAIN, HELLO)).length;
    await control.upload(SCRIPT, {});
    const other = { modules: { 'index.js': 'export default { fetch() { return 2 } }' } };
    const first = await control.upload(`${SCRIPT}/versions`, other);
    assert.deepEqual((await control.upload(`${SCRIPT}/versions`, other)).result, first.result);
    assert.equal(await count(), 2);
    await control.request('PATCH', LATEST, { env: { KEY: { text: 'v' } } });
    await control.upload(`${SCRIPT}/versions`, other);
    assert.equal(await count(), 4);
    now += 61_000;
    await control.upload(`${SCRIPT}/versions`, other);
    assert.equal(await count(), 5);
  });

  it('and deployment sent again publishes again what is there', async () => {
    await using control = await openTestControl();
    control.platform.publishError = new Error('gateway away');
    assert.equal((await control.upload(SCRIPT, {})).status, 503);
    control.platform.publishError = undefined;
    const { status, result } = await control.upload(SCRIPT, {});
    assert.deepEqual([status, result.deployment_id], [200, await servingVersion(control)]);
    assert.deepEqual(
      [(await control.registry.listVersions(MAIN, HELLO)).length, control.platform.published.length],
      [1, 1],
    );
  });
});

describe('PATCH …/settings', () => {
  const patch = (control: TestControl, bindings: object[], rest = {}) => {
    const form = new FormData();
    form.set('settings', JSON.stringify({ bindings, ...rest }));
    return control.form('PATCH', `${SCRIPT}/settings`, form);
  };

  it('replaces the bindings; one with a name and a type only stays', async () => {
    await using control = await openTestControl();
    const bindings = [
      { name: 'VAR', type: 'plain_text', text: 'var' },
      { name: 'GONE', type: 'plain_text', text: 'x' },
      { name: 'A', type: 'secret_text', text: 'a' },
    ];
    await control.upload(SCRIPT, { metadata: { main_module: 'index.js', bindings } });
    const { status, result } = await patch(control, [
      { name: 'VAR', type: 'plain_text' },
      { name: 'A', type: 'secret_text' },
      { name: 'B', type: 'secret_text', text: 'b' },
    ]);
    assert.equal(status, 200);
    assert.deepEqual(result.bindings.at(-1), { name: 'B', type: 'secret_text' });
    assert.deepEqual(await served(control), { VAR: 'var', A: 'a', B: 'b' });
  });

  it('refuses to keep what is not there, and to change anything else', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    assert.deepEqual(code(await patch(control, [{ name: 'A', type: 'secret_text' }])), [400, 10057]);
    assert.deepEqual(code(await patch(control, [], { compatibility_date: '2026-01-01' })), [400, 10021]);
  });
});

describe('content/v2', () => {
  it('gives a version as the form it was uploaded in', async () => {
    await using control = await openTestControl();
    const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    const { result } = await control.upload(SCRIPT, {
      modules: {
        'index.js': 'export default { fetch() {} } // ä',
        './a.wasm': { type: 'application/wasm', content: wasm },
        'index.js.map': { type: 'application/source-map', content: '{}' },
      },
    });
    await control.upload(`${SCRIPT}/versions`, { modules: { 'index.js': 'export default {}' } });
    const response = await control.raw(`${SCRIPT}/content/v2?version=${result.deployment_id}`);
    assert.equal(response.headers.get('cf-entrypoint'), 'index.js');
    const form = await response.formData();
    const parts = [...form.entries()].map(([name, file]) => [name, (file as File).name, (file as File).type]);
    assert.deepEqual(parts, [
      ['index.js', 'index.js', 'application/javascript+module'],
      ['./a.wasm', './a.wasm', 'application/wasm'],
      ['index.js.map', 'index.js.map', 'application/source-map'],
    ]);
    assert.equal(await (form.get('index.js') as File).text(), 'export default { fetch() {} } // ä');
    assert.deepEqual(await (form.get('./a.wasm') as File).bytes(), wasm);
  });

  it('gives a script in service-worker syntax as it is', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {
      metadata: { body_part: 'index.js' },
      modules: { 'index.js': { type: 'application/javascript', content: 'addEventListener("fetch", () => {})' } },
    });
    const response = await control.raw(`${SCRIPT}/content/v2`);
    assert.equal(response.headers.get('content-type'), 'application/javascript');
    assert.equal(await response.text(), 'addEventListener("fetch", () => {})');
  });
});

describe('a rollback', () => {
  const prepare = async (control: TestControl): Promise<string> => {
    const { result } = await control.upload(SCRIPT, {});
    await put(control, 'A', 'one');
    await put(control, 'B', 'two');
    return result.deployment_id as string;
  };
  const deploy = (control: TestControl, version_id: string, query = '') =>
    control.request('POST', `${SCRIPT}/deployments${query}`, { versions: [{ version_id, percentage: 100 }] });

  it('is refused when secrets have changed, with their names as wrangler reads them, until it is forced', async () => {
    await using control = await openTestControl();
    const first = await prepare(control);
    const { status, errors } = await deploy(control, first);
    assert.deepEqual([status, errors[0]?.code], [400, 10220]);
    const { message = '' } = errors[0] ?? {};
    assert.match(message, new RegExp(`wrangler rollback ${first}, or ask with \\?force=true\\. `));
    // As wrangler does it.
    const target = 'The following secrets have changed:';
    assert.deepEqual(message.slice(message.indexOf(target) + target.length + 1).split(', '), ['A', 'B']);
    const { result } = await deploy(control, first, '?force=true');
    assert.deepEqual(result.annotations, { 'workers/triggered_by': 'rollback' });
    assert.equal(await servingVersion(control), first);
  });

  it('asks nothing for newer versions, shared traffic, or secrets that are the same', async () => {
    await using control = await openTestControl();
    const first = await prepare(control);
    const serving = await servingVersion(control);
    const code = { modules: { 'index.js': 'export default { fetch() { return 3 } }' } };
    const next = (await control.upload(SCRIPT, code)).result.deployment_id as string;
    assert.equal((await deploy(control, serving!)).status, 200);
    assert.equal((await deploy(control, next)).status, 200);
    const versions = [first, next].map((version_id) => ({ version_id, percentage: 50 }));
    assert.equal((await control.request('POST', `${SCRIPT}/deployments`, { versions })).status, 200);
    assert.equal((await deploy(control, first)).status, 200, 'it serves already');
  });

  it('takes one call: to what had all traffic before, or to a version', async () => {
    await using control = await openTestControl();
    const first = await prepare(control);
    assert.deepEqual(code(await control.request('POST', `${SCRIPT}/isola/rollback`, {})), [400, 10220]);
    const [, before] = await control.registry.listVersions(MAIN, HELLO);
    const { result } = await control.request('POST', `${SCRIPT}/isola/rollback`, { force: true, message: 'oops' });
    assert.deepEqual(result.versions, [{ version_id: before!.spec.id, percentage: 100 }]);
    assert.equal(result.annotations['workers/message'], 'oops');
    await control.request('POST', `${SCRIPT}/isola/rollback`, { version_id: first, force: true });
    assert.equal(await servingVersion(control), first);
  });

  it('needs something to go back to', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    assert.deepEqual(code(await control.request('POST', `${SCRIPT}/isola/rollback`, {})), [404, 10100]);
  });
});

describe('secrets of another account', () => {
  it('are not there: 404 for everything', async () => {
    await using control = await openTestControl({
      authenticator: {
        identify: async () => ({
          actor: 'b',
          account: 'b' as AccountId,
          scopes: new Set(['workers:write', 'workers:read']),
          tokenId: 'b',
        }),
      },
    });
    for (const [method, path, body] of [
      ['GET', `${SCRIPT}/secrets`],
      ['GET', `${SCRIPT}/secrets/A`],
      ['PUT', `${SCRIPT}/secrets`, { name: 'A', text: 'x' }],
      ['DELETE', `${SCRIPT}/secrets/A`],
      ['PATCH', `${SCRIPT}/secrets-bulk`, { secrets: {} }],
      ['PATCH', LATEST, {}],
      ['PATCH', `${SCRIPT}/settings`],
      ['GET', `${SCRIPT}/content/v2`],
      ['POST', `${SCRIPT}/isola/rollback`, {}],
    ] as const) {
      assert.deepEqual(code(await control.request(method, path, body)), [404, 10002], `${method} ${path}`);
    }
  });
});

function code({
  status,
  errors,
}: {
  status: number;
  errors: readonly { code: number }[];
}): [number, number | undefined] {
  return [status, errors[0]?.code];
}
