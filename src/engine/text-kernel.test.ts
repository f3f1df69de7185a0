import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime } from '../index.ts';

const WORKER = `
const encoder = new TextEncoder();
const HEAVY = 'much text '.repeat(1000);
// More than an isolate codes before it gets the kernel.
for (let i = 0; i < 40; i++) encoder.encode(HEAVY);

const actions = {
  encode: (text) => Array.from(encoder.encode(text)),
  encodeInto: (text, room) => {
    const target = new Uint8Array(room);
    return [encoder.encodeInto(text, target), Array.from(target)];
  },
  decode: (bytes) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes)),
  fatal: (bytes) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
    } catch (error) {
      return error instanceof TypeError && error.message;
    }
  },
  btoa: (text) => btoa(text),
  atob: (text) => atob(text),
  patched: () => {
    const { prototype } = Uint8Array;
    const kept = [prototype.set, prototype.subarray, prototype.toBase64, Uint8Array.fromBase64];
    prototype.set = prototype.subarray = prototype.toBase64 = Uint8Array.fromBase64 = () => { throw new Error('mine'); };
    try {
      return new TextDecoder().decode(encoder.encode(HEAVY)) === HEAVY && atob(btoa(HEAVY)) === HEAVY;
    } finally {
      [prototype.set, prototype.subarray, prototype.toBase64, Uint8Array.fromBase64] = kept;
    }
  },
  memories: () => {
    const made = [];
    try {
      for (;;) made.push(new WebAssembly.Memory({ initial: 1 }));
    } catch (error) {
      return made.length;
    }
  },
};
export default {
  async fetch(request) {
    const [action, ...parameters] = await request.json();
    return new Response(JSON.stringify(actions[action](...parameters)));
  },
};`;

const PARTS = [
  'a',
  'plain text ',
  '\u00e9',
  '\u20ac',
  '\u{1d11e}',
  '\ud834',
  '\udd1e',
  '\u0000',
  '\ufeff',
  '\u07ff\u0800',
];
const BYTES = [[0x61], [0x80], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xe2, 0x82], [0xf0, 0x9d, 0x84, 0x9e], [0xf0, 0x9d]];
const LONG = 70_000; // more than the kernel's memory holds

describe('the text kernel', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await createRuntime({});
    await runtime.deploy('text', {
      main: 'index.js',
      modules: { 'index.js': WORKER },
      limits: { cpuMs: 1_000 },
    });
  });
  after(() => runtime.close());

  async function call(...command: unknown[]): Promise<unknown> {
    const request = new Request('http://a.example/', { method: 'POST', body: JSON.stringify(command) });
    const response = await runtime.fetch('text', request);
    assert.equal(response.status, 200);
    return response.json();
  }

  it('encodes as Node does', async () => {
    for (const text of texts()) {
      const expected = [...new TextEncoder().encode(text)];
      assert.deepEqual(await call('encode', text), expected);
      for (const room of [expected.length, expected.length - 1, 40]) {
        assert.deepEqual(await call('encodeInto', text, room), encodeInto(text, room));
      }
    }
  });

  it('decodes as Node does, malformed bytes too', async () => {
    const encoded = texts().map((text) => [...new TextEncoder().encode(text)]);
    for (const bytes of [...encoded, ...malformed()]) {
      const view = Uint8Array.from(bytes);
      assert.equal(await call('decode', bytes), new TextDecoder('utf-8', { ignoreBOM: true }).decode(view));
      assert.equal(await call('fatal', bytes), strict(view));
    }
  });

  it('serves base64, of ASCII and other texts', async () => {
    for (const text of [
      'plain text '.repeat(20),
      '\u00e9t\u00e9 '.repeat(20),
      'x'.repeat(LONG),
      `${'x'.repeat(LONG)}\u00ff`,
    ]) {
      assert.equal(await call('btoa', text), btoa(text));
      assert.equal(await call('atob', btoa(text)), text);
    }
  });

  it('calls nothing that a tenant has replaced', async () => {
    assert.equal(await call('patched'), true);
  });

  it('leaves tenants as many memories as they may have', async () => {
    const fresh = { main: 'index.js', modules: { 'index.js': WORKER.replace('i < 40', 'i < 0') } };
    await runtime.deploy('light', fresh);
    const request = new Request('http://a.example/', { method: 'POST', body: '["memories"]' });
    const response = await runtime.fetch('light', request);
    assert.equal(await call('memories'), await response.json());
  });

  it("lets no tenant's module have the instructions it is made of", async () => {
    // (module (func (param stringref)))
    const module = Uint8Array.of(
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      1,
      5,
      1,
      0x60,
      1,
      0x67,
      0,
      3,
      2,
      1,
      0,
      10,
      4,
      1,
      2,
      0,
      0x0b,
    );
    const code = 'import module from "./a.wasm"; new WebAssembly.Instance(module); export default { fetch() {} }';
    await assert.rejects(
      runtime.deploy('strings', { main: 'index.js', modules: { 'index.js': code, 'a.wasm': module } }),
      /stringref/,
    );
  });
});

/** Node's own gives room away when there are lone surrogates. */
function encodeInto(text: string, room: number): unknown {
  const target = new Uint8Array(room);
  let read = 0;
  let written = 0;
  for (const point of text) {
    const bytes = new TextEncoder().encode(point);
    if (written + bytes.length > room) break;
    target.set(bytes, written);
    read += point.length;
    written += bytes.length;
  }
  return [{ read, written }, [...target]];
}

function texts(): string[] {
  let seed = 7;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const random = Array.from({ length: 20 }, () => Array.from({ length: 60 }, () => PARTS[next(PARTS.length)]).join(''));
  const pairs = '\u{1d11e}'.repeat(LONG / 2);
  return [...random, 'x'.repeat(LONG), `x${pairs}`, pairs, '\u20ac'.repeat(LONG / 2), `${'x'.repeat(60)}\ud800`];
}

function malformed(): number[][] {
  let seed = 11;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const random = Array.from({ length: 20 }, () =>
    Array.from({ length: 60 }, () => BYTES[next(BYTES.length)] as number[]).flat(),
  );
  const long = Array.from({ length: LONG }, (_, i) => BYTES[3]![i % 3]!);
  return [
    ...random,
    long,
    [0x61, ...long],
    [0x61, 0x61, ...long],
    [...Array<number>(65_535).fill(0x61), 0xf0, 0x9d, 0x61],
  ];
}

function strict(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return 'The encoded data was not valid for encoding utf-8';
  }
}
