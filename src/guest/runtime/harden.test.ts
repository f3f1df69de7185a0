import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ENTER, HOST } from '../abi.ts';
import { createGuest, type TestGuest } from '../testing/guest.ts';

describe('hardening', () => {
  const open: TestGuest[] = [];
  const guestOf = async (...args: Parameters<typeof createGuest>): Promise<TestGuest> => {
    const guest = await createGuest(...args);
    open.push(guest);
    return guest;
  };
  /** A guest whose fetch handler is this body. */
  const handler = (body: string): Promise<TestGuest> =>
    guestOf(`export default { async fetch(request, env, ctx) { ${body} } }`);
  after(() => {
    for (const guest of open) guest.dispose();
  });

  it('leaves no way to make code from strings', async () => {
    const guest = await handler('');
    const ways = [
      'eval("1")',
      'new Function("1")',
      'Function("1")',
      '(() => {}).constructor("1")',
      '(async () => {}).constructor("1")',
      '(function* () {}).constructor("1")',
      '(async function* () {}).constructor("1")',
      'Object.getPrototypeOf((async () => {}).constructor)("1")',
      'Object.getPrototypeOf(Object.getPrototypeOf(function* () {}).constructor)("1")',
      'Reflect.construct(Function, ["1"], Array)',
      'new (class extends Function {})("1")',
      'setTimeout("1")',
    ];
    for (const way of ways) {
      assert.match(
        guest.evaluate(`(() => { try { return ${way} } catch (error) { return error.name } })()`),
        /^(?:EvalError|TypeError)$/,
        way,
      );
    }
    assert.equal(guest.evaluate('(() => {}) instanceof Function && (async () => {}) instanceof Function'), 'true');
    assert.equal(
      guest.evaluate('[typeof Atomics.wait, typeof Atomics.waitAsync, typeof __isola]'),
      'undefined,undefined,undefined',
    );
  });

  it('keeps WebAssembly to small memories, and few of them', async () => {
    const guest = await handler(`
      const names = [];
      for (const way of [
        () => new WebAssembly.Memory({ initial: 10000 }), () => new WebAssembly.Table({ element: 'anyfunc', initial: 1e6 + 1 }),
        () => new WebAssembly.Memory({ initial: -1 }),
        () => { const all = []; for (;;) all.push(new WebAssembly.Memory({ initial: 0 })) },
      ]) try { await way(); names.push('ran') } catch (error) { names.push(error.name) }
      return new Response(names.join())`);
    const names = 'RangeError,RangeError,TypeError,RangeError';
    assert.equal(guest.fetch('http://a.example/')[0]?.[4], names);
  });

  it('has no buffers that grow past the memory limit', async () => {
    const guest = await handler('');
    const attempt = (code: string): string =>
      guest.evaluate(`(() => { try { return ${code} } catch (error) { return error.name } })()`);
    assert.equal(attempt('new ArrayBuffer(1, { maxByteLength: 2 ** 30 })'), 'RangeError');
    assert.equal(attempt('new (class A extends ArrayBuffer {})(1, { maxByteLength: 2 ** 30 })'), 'RangeError');
    assert.equal(attempt('new SharedArrayBuffer(1, { maxByteLength: 2 })'), 'RangeError');
    // Of 128 MiB: what they may grow to counts, and goes on counting after a transfer.
    assert.equal(
      guest.evaluate('(globalThis.kept = new ArrayBuffer(1, { maxByteLength: 100 * 2 ** 20 })).resizable'),
      'true',
    );
    assert.equal(attempt('new ArrayBuffer(1, { maxByteLength: 100 * 2 ** 20 })'), 'RangeError');
    assert.equal(guest.evaluate('(kept = kept.transfer(3)).byteLength'), '3');
    assert.equal(guest.evaluate('(kept = structuredClone(kept, { transfer: [kept] })).maxByteLength'), '104857600');
    assert.equal(attempt('structuredClone(kept)'), 'RangeError');
    assert.equal(guest.evaluate('(kept = kept.transferToFixedLength()).resizable'), 'false');
    assert.equal(guest.evaluate('(kept = new ArrayBuffer(1, { maxByteLength: 100 * 2 ** 20 })).resizable'), 'true');
    const facts = [
      'new ArrayBuffer(3).slice(1).byteLength === 2',
      'new Uint8Array(2).buffer instanceof ArrayBuffer',
      'new Uint8Array(2).buffer.constructor === ArrayBuffer',
      'new (class A extends ArrayBuffer {})(4).byteLength === 4',
      'structuredClone(new Uint8Array([1, 2])).length === 2',
      'ArrayBuffer.isView(new Uint8Array(new ArrayBuffer(8), 2, 4))',
      'ArrayBuffer.length === 1 && ArrayBuffer.name === "ArrayBuffer"',
      'new SharedArrayBuffer(3).byteLength === 3 && SharedArrayBuffer.length === 1',
      'new TextDecoder().decode(new Uint8Array(new SharedArrayBuffer(1))) === "\\0"',
      'typeof Atomics.wait === "undefined" && Atomics.add(new Int32Array(new SharedArrayBuffer(4)), 0, 1) === 0',
      '(() => { const view = new Uint8Array(new ArrayBuffer(1, { maxByteLength: 20 })); const copy = structuredClone(view); copy.buffer.resize(3); return copy.length === 3 })()',
      '(() => { const view = new Uint8Array(new ArrayBuffer(1, { maxByteLength: 20 }), 0, 1); const copy = structuredClone(view); copy.buffer.resize(3); return copy.length === 1 })()',
    ];
    for (const fact of facts) assert.equal(guest.evaluate(fact), 'true', fact);
  });

  it('works on when a Worker replaces the built-ins it is made of', async () => {
    const guest = await guestOf(`
      const seen = [];
      const spy = (object, name) => { const native = object[name]; object[name] = function (...args) { seen.push(name); return native.apply(this, args) } };
      for (const [object, names] of [[Promise.prototype, ['then']], [Map.prototype, ['get', 'set', 'delete']], [Set.prototype, ['add', 'delete', 'forEach']],
        [String.prototype, ['indexOf', 'slice', 'split', 'toLowerCase', 'charCodeAt']], [RegExp.prototype, ['exec', 'test']], [JSON, ['stringify', 'parse']]])
        for (const name of names) spy(object, name);
      Promise.resolve = () => { throw 1 };
      export default { async fetch(request, env, ctx) {
        seen.length = 0;
        ctx.waitUntil(1); request.headers.get('Host'); setTimeout(() => {});
        return new Response('x', { headers: { 'X-Y': 'z' } }) },
        scheduled() { throw new Error(seen.join()) } }`);
    assert.deepEqual(
      guest.fetch('http://a.example/', { headers: ['Host', 'a'] }).map((call) => call[0]),
      [HOST.timer, HOST.respond],
    );
    guest.enter(ENTER.scheduled, 2, '', 0);
    assert.equal(guest.calls()[0]?.[3], '');
  });
});
