import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { MAX_MODULES, MAX_UPLOAD_BYTES, MAX_UPLOAD_RAW_BYTES } from '../limits.ts';
import { type Answer, MAIN, openTestControl, type TestControl, type UploadForm } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('an upload', () => {
  it('may have modules of every kind, and source maps, which are kept but are no modules', async () => {
    await using control = await openTestControl();
    const { status } = await control.upload(SCRIPT, {
      modules: {
        'index.js': 'import "./lib/b.mjs"',
        'lib/b.mjs': 'export {}',
        './a-x.txt': { type: 'text/plain', content: 'text' },
        './a-x.bin': { type: 'application/octet-stream', content: Uint8Array.of(0, 255) },
        './a.json': { type: 'application/json', content: '{"a":1}' },
        './a.wasm': { type: 'application/wasm', content: Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 5, 3, 1, 0, 1) },
        'index.js.map': { type: 'application/source-map', content: '{}' },
      },
    });
    assert.equal(status, 200);
    const [code] = control.platform.checked;
    assert.deepEqual(
      code!.modules.map(({ name, kind }) => `${kind} ${name}`),
      ['esm index.js', 'esm lib/b.mjs', 'text ./a-x.txt', 'data ./a-x.bin', 'json ./a.json', 'wasm ./a.wasm'],
    );
    // The memory section carries a maximum now: 128 MiB are 2048 pages.
    assert.deepEqual([...code!.modules[5]!.content].slice(8), [5, 5, 1, 1, 1, 0x80, 0x10]);
    const [version] = await control.registry.listVersions(MAIN, code!.spec.worker);
    assert.deepEqual(
      version!.sourceMaps.map(({ name }) => name),
      ['index.js.map'],
    );
    for (const [i, { sha256 }] of version!.modules.entries()) {
      assert.deepEqual(new Uint8Array((await control.blobs.get(sha256))!), new Uint8Array(code!.modules[i]!.content));
    }
  });

  it('is refused with nothing stored when the cell cannot start it', async () => {
    await using control = await openTestControl();
    control.platform.checkResult = { ok: false, message: 'SyntaxError: Unexpected token (index.js:1:5)' };
    await refused(control, {}, { code: 10021, message: /^SyntaxError: Unexpected token \(index\.js:1:5\)$/ });
  });

  for (const name of [
    '../up.js',
    'a/../../b.js',
    'a/%2e%2e/b.js',
    'a/%252e%252e/b.js',
    '/etc/passwd',
    'a//b.js',
    './../b.js',
    'a\\b.js',
    'a\u0000b.js',
    'node:fs',
    'https://example.com/x.js',
    '.',
    'x'.repeat(513),
  ]) {
    it(`cannot have a module named ${JSON.stringify(name).slice(0, 40)}`, async () => {
      await using control = await openTestControl();
      const content = { type: 'text/plain', content: '' };
      await refused(
        control,
        { modules: { 'index.js': '', [name]: content } },
        { code: 10021, message: /bad module name|module name of 513 characters|Malformed part header|Cannot read/ },
      );
    });
  }

  it('may have a module name of 512 characters', async () => {
    await using control = await openTestControl();
    const { status } = await control.upload(SCRIPT, { modules: { 'index.js': '', ['x'.repeat(512)]: '' } });
    assert.equal(status, 200);
  });

  it('cannot have the same module twice, in whatever spelling', async () => {
    await using control = await openTestControl();
    const modules = { 'index.js': '', './index.js': '' };
    await refused(control, { modules }, { code: 10021, message: /is there twice/ });
  });

  it('cannot have a type that is not supported yet', async () => {
    await using control = await openTestControl();
    for (const [type, message] of [
      ['text/x-python', /"a" is a Python module/],
      ['image/png', /has content type 'image\/png'; allowed are/],
    ] as const) {
      await refused(control, { modules: { 'index.js': '', a: { type, content: '' } } }, { code: 10021, message });
    }
    await refused(
      control,
      { modules: { 'index.js': '', a: { type: 'application/json', content: '{' } } },
      { code: 10021, message: /"a" is not JSON/ },
    );
    await refused(
      control,
      { modules: { 'index.js': '', a: { type: 'application/wasm', content: 'junk' } } },
      { code: 10021, message: /'a': not a WebAssembly/ },
    );
  });

  it('may have CommonJS modules, or a script in service-worker syntax with files as bindings', async () => {
    await using control = await openTestControl();
    const script = { type: 'application/javascript', content: 'exports.a = 1' };
    const file = { type: 'text/plain', content: 'text' };
    assert.equal((await control.upload(SCRIPT, { modules: { 'index.js': '', 'a.cjs': script } })).status, 200);
    const metadata = { body_part: 'worker.js', bindings: [{ name: 'FILE', type: 'text_blob', part: 'FILE' }] };
    assert.equal(
      (await control.upload(SCRIPT, { metadata, modules: { 'worker.js': script, FILE: file } })).status,
      200,
    );
    const kinds = control.platform.checked.map(({ modules }) => modules.map(({ kind }) => kind).join());
    assert.deepEqual(kinds, ['esm,cjs', 'script,text']);
  });

  it('must have the main module, as an ES module', async () => {
    await using control = await openTestControl();
    await refused(
      control,
      { modules: { 'b.js': '' } },
      { code: 10021, message: /main module "index.js" is not among/ },
    );
    const text = { type: 'text/plain', content: '' };
    await refused(control, { modules: { 'index.js': text } }, { code: 10021, message: /is not an ES module/ });
  });

  it(`may have ${MAX_MODULES} modules, and not one more`, async () => {
    await using control = await openTestControl();
    const modules = Object.fromEntries(
      Array.from({ length: MAX_MODULES - 1 }, (_, i) => [`${i}.txt`, { type: 'text/plain', content: '' }]),
    );
    const all = { 'index.js': '', ...modules };
    assert.equal((await control.upload(SCRIPT, { modules: all })).status, 200);
    const { status, errors } = await control.upload(SCRIPT, { modules: { ...all, 'more.js': '' } });
    assert.deepEqual([status, errors[0]?.code], [400, 10021]);
    assert.match(errors[0]!.message, /1001 modules, limit is 1000/);
  });

  it('is measured compressed: much text passes, as much noise does not', async () => {
    await using control = await openTestControl();
    const bytes = MAX_UPLOAD_BYTES + 1;
    const withData = (content: string | Uint8Array): UploadForm => ({
      modules: { 'index.js': '', 'a.bin': { type: 'application/octet-stream', content } },
    });
    assert.equal((await control.upload(SCRIPT, withData('a'.repeat(bytes)))).status, 200);
    await control.request('DELETE', SCRIPT);
    control.platform.published = [];
    await refused(control, withData(randomBytes(bytes)), { code: 10027, message: /which is the limit/, status: 413 });
  });

  it('is cut off at the limit before compression', async () => {
    await using control = await openTestControl();
    const content = Buffer.alloc(MAX_UPLOAD_RAW_BYTES + 1, 'a');
    const modules = { 'index.js': '', 'a.txt': { type: 'text/plain', content } };
    await refused(control, { modules }, { code: 10027, message: /before compression/, status: 413 });
  });

  it('must be a well-formed form', async () => {
    await using control = await openTestControl();
    const send = async (contentType: string | undefined, payload: string): Promise<Answer['errors'][number]> => {
      const response = await control.app.inject({
        method: 'PUT',
        url: '/client/v4/accounts/main/workers/scripts/hello',
        headers: {
          authorization: 'Bearer test-token',
          ...(contentType !== undefined && { 'content-type': contentType }),
        },
        payload,
      });
      return response.json<Answer>().errors[0]!;
    };
    const part = (head: string, body: string): string =>
      `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
    const multipart = 'multipart/form-data; boundary=b';
    const metadata = part('name="metadata"', '{"main_module":"a"}');
    for (const [contentType, payload, message] of [
      [undefined, 'x', /must be multipart\/form-data/],
      ['application/json', '{}', /must be multipart\/form-data/],
      ['multipart/form-data', 'x', /Boundary not found/],
      [multipart, '', /Unexpected end of form|no body/],
      [multipart, metadata, /Unexpected end of form/],
      [multipart, '--b--\r\n', /no 'metadata' part|Unexpected end/],
      [multipart, `${part('name="a"; filename="a"', '')}--b--`, /no 'metadata' part/],
      [multipart, `${metadata}${metadata}--b--`, /more than one 'metadata' part/],
      [multipart, `${metadata}${part('name="a"', 'code')}--b--`, /'a' is neither 'metadata' nor a file/],
      [multipart, `${part('name="metadata"', 'x'.repeat(1024 * 1024 + 1))}--b--`, /longer than 1048576 bytes/],
      [multipart, `${part('name="metadata"', '{')}--b--`, /it is not JSON/],
    ] as const) {
      const error = await send(contentType, payload);
      assert.deepEqual([error.code, message.test(error.message)], [10021, true], error.message);
    }
    assert.equal((await control.registry.listWorkers(MAIN)).total, 0);
  });
});

describe('upload metadata', () => {
  const withBindings = (...bindings: object[]): UploadForm => ({ metadata: { main_module: 'index.js', bindings } });

  for (const [type, product] of [
    ['r2_bucket', 'R2'],
    ['d1', 'D1'],
    ['queue', 'Queues'],
    ['durable_object_namespace', 'Durable Objects'],
    ['ai', 'Workers AI'],
    ['secret_key', 'secret_key bindings \\(WebCrypto keys\\)'],
  ]) {
    it(`with a ${type} binding is refused naming ${product}`, async () => {
      await using control = await openTestControl();
      await refused(control, withBindings({ name: 'X', type }), {
        code: 10300,
        message: new RegExp(`^binding 'X': this platform has no ${product} yet$`),
      });
    });
  }

  for (const [what, metadata, message, code] of [
    ['an unknown binding type', { bindings: [{ name: 'X', type: 'nope' }] }, /binding 'X' has unknown type 'nope'/],
    ['a binding without name', { bindings: [{ type: 'json', json: 1 }] }, /bindings\.0\.name/],
    ['a binding named __proto__', { bindings: [{ name: '__proto__', type: 'json', json: 1 }] }, /is not allowed/],
    [
      'two bindings of a name',
      { bindings: [1, 2].map((json) => ({ name: 'X', type: 'json', json })) },
      /'X' is declared twice/,
    ],
    ['a text binding without text', { bindings: [{ name: 'X', type: 'plain_text' }] }, /'text' must be a string/],
    ['a bad service name', { bindings: [{ name: 'X', type: 'service', service: '../x' }] }, /Bad Worker name/, 10001],
    [
      'service props',
      { bindings: [{ name: 'X', type: 'service', service: 'a', props: { a: 1 } }] },
      /no props of service bindings/,
      10300,
    ],
    [
      'too many bindings',
      { bindings: Array.from({ length: 257 }, (_, i) => ({ name: `${i}`, type: 'json', json: 1 })) },
      /bindings/,
    ],
    ['a date in the future', { compatibility_date: '2999-01-01' }, /compatibility_date 2999-01-01 is in the future/],
    ['a date that is none', { compatibility_date: '2026-13-01' }, /compatibility_date/],
    [
      'too much CPU',
      { limits: { cpu_ms: 300_001 } },
      /limits.cpu_ms is 300001, allowed are whole numbers from 1 to 300000/,
    ],
    ['no CPU', { limits: { cpu_ms: 0 } }, /limits.cpu_ms is 0/],
    [
      'a service entrypoint that is no name',
      { bindings: [{ name: 'X', type: 'service', service: 'a', entrypoint: 'a\nb' }] },
      /'entrypoint' must be the name of an export/,
    ],
    ['a main module and a script', { body_part: 'a.js' }, /both 'main_module' and 'body_part' are given/],
    ['a script that is a module', { main_module: undefined, body_part: 'index.js' }, /"index.js" is not a script/],
    [
      'a file binding without its file',
      { bindings: [{ name: 'X', type: 'text_blob', part: 'X' }] },
      /the file "X" of the text_blob binding 'X' is not in the upload/,
    ],
    [
      'a file binding of another type',
      { bindings: [{ name: 'X', type: 'wasm_module', part: 'index.js' }] },
      /the file "index.js" of the wasm_module binding 'X' has the wrong content type/,
    ],
    ['no main module', { main_module: undefined }, /'main_module' is missing/],
    [
      'annotations',
      { annotations: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`a${i}`, 'x'])) },
      /101 annotations, limit is 100/,
      10021,
    ],
    ['migrations', { migrations: { new_tag: 'v1' } }, /no Durable Objects yet/, 10300],
    [
      'a missing inherited binding',
      { bindings: [{ name: 'X', type: 'inherit' }] },
      /^inherit binding 'X' is invalid/,
      10057,
    ],
  ] as const) {
    it(`with ${what} is refused`, async () => {
      await using control = await openTestControl();
      const form = { metadata: { main_module: 'index.js', ...metadata } };
      await refused(control, form, { code: code ?? 10021, message });
    });
  }

  it('may ask for CPU time up to the maximum', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, { metadata: { main_module: 'index.js', limits: { cpu_ms: 300_000 } } });
    assert.equal(control.platform.checked[0]?.spec.limits.cpuMs, 300_000);
  });

  it('may inherit bindings of the newest version by name, and keep those of a type', async () => {
    await using control = await openTestControl();
    await control.upload(
      SCRIPT,
      withBindings(
        { name: 'A', type: 'plain_text', text: 'a' },
        { name: 'B', type: 'json', json: { b: 1 } },
        { name: 'C', type: 'json', json: 'c' },
      ),
    );
    const { status } = await control.upload(SCRIPT, {
      metadata: {
        main_module: 'index.js',
        bindings: [
          { name: 'A', type: 'inherit' },
          { name: 'C', type: 'plain_text', text: 'new' },
        ],
        keep_bindings: ['json', 'secret_text'],
      },
    });
    assert.equal(status, 200);
    assert.deepEqual(control.platform.checked[1]?.spec.bindings, [
      { name: 'A', type: 'plain_text', text: 'a' },
      { name: 'C', type: 'plain_text', text: 'new' },
      { name: 'B', type: 'json', json: { b: 1 } },
    ]);
  });
});

async function refused(
  control: TestControl,
  form: UploadForm,
  { code, message, status = 400 }: { code: number; message: RegExp; status?: number },
): Promise<void> {
  const answer = await control.upload(SCRIPT, form);
  const shown = answer.errors[0]?.message ?? 'no error';
  assert.deepEqual([answer.status, answer.success, answer.errors[0]?.code], [status, false, code], shown);
  assert.match(shown, message);
  assert.equal((await control.registry.listWorkers(MAIN)).total, 0);
  assert.deepEqual(control.platform.published, []);
}
