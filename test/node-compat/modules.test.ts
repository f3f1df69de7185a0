/** Node's modules in a Worker, against Node itself. */
import { after, before, describe, it } from 'node:test';
import type { Runtime } from '../../src/index.ts';
import { compare, openRuntime } from './harness.ts';

describe('with nodejs_compat, as in Node:', { timeout: 60_000 }, () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await openRuntime();
  });
  after(() => runtime.close());

  it('node:buffer', async () => {
    await compare(runtime, `import { Buffer, isUtf8, isAscii, transcode, constants, kMaxLength } from 'node:buffer';`, {
      encodings: `const names = ['utf8','utf-8','UTF8','ucs2','utf16le','latin1','binary','ascii','base64','base64url','hex'];
        return names.map((n) => { const b = Buffer.from('h\\u00e9llo \\u{1F600} w\\ud800', n); return [n, b, b.toString(n), b.toString(), Buffer.byteLength('h\\u00e9llo', n)]; });`,
      base64: `return ['YQ', 'YQ==', 'YWI=', 'YWJj', 'Y W\\nJj', 'YWJj-_', 'YWJj+/', '=', 'Y', 'YWJjZA==YWJj', 'YQ=', 'a-_b', '  YWJj  ', 'YWJj!!ZGVm'].map((t) => Buffer.from(t, 'base64'));`,
      hex: `return ['', 'a', 'abc', 'zz', 'abzz', 'ABcd', 'ab cd'].map((t) => Buffer.from(t, 'hex'));`,
      from: `return [Buffer.from([1, 2, 300, -1, '7', 'x']), Buffer.from(new Uint16Array([1, 256])), Buffer.from(Buffer.from('ab')), Buffer.from({ length: 2, 0: 5, 1: 6 }), Buffer.from({ type: 'Buffer', data: [1, 2] }), Buffer.from(new String('str')), Buffer.from({ [Symbol.toPrimitive]: () => 'prim' }), Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 2)];`,
      errors: `return [() => Buffer.from(5), () => Buffer.from(null), () => Buffer.from(), () => Buffer.from({}), () => Buffer.alloc(-1), () => Buffer.alloc('5'), () => Buffer.from('a', 'nope'), () => Buffer.concat(5), () => Buffer.concat([1]), () => Buffer.alloc(4).readUInt16LE(3), () => Buffer.alloc(4).readUInt16LE('x'), () => Buffer.alloc(4).readUInt16LE(1.5), () => Buffer.alloc(1).readUInt16LE(0), () => Buffer.alloc(4).writeUInt8(256, 0), () => Buffer.alloc(4).writeInt8(-129), () => Buffer.alloc(8).writeBigInt64LE(5), () => Buffer.alloc(8).writeBigUInt64LE(2n ** 64n), () => Buffer.alloc(4).readUIntBE(0, 7), () => Buffer.alloc(3).swap16(), () => Buffer.compare(1, 2), () => Buffer.alloc(2).equals('a'), () => Buffer.from(new ArrayBuffer(2), 3), () => Buffer.alloc(3).fill('a', 0, 9), () => Buffer.alloc(2).write(5), () => Buffer.alloc(1).indexOf({}), () => Buffer.alloc(4).writeUInt32LE(2 ** 33)].map(attempt);`,
      numbers: `const b = Buffer.alloc(32); const out = [];
        for (const [w, v] of [['UInt8', 200], ['Int8', -5], ['UInt16LE', 65000], ['UInt16BE', 65000], ['Int32LE', -70000], ['Int32BE', -70000], ['FloatLE', 1.5], ['DoubleBE', 1 / 3], ['BigInt64LE', -5n], ['BigUInt64BE', 2n ** 63n]]) { out.push(b['write' + w](v, 3), b['read' + w](3), b.toString('hex')); }
        for (const n of [1, 2, 3, 4, 5, 6]) { out.push(b.writeIntLE(-(2 ** (n * 8 - 2)), 1, n), b.readIntLE(1, n), b.readUIntBE(1, n), b.writeUIntBE(2 ** (n * 8) - 2, 0, n), b.toString('hex')); }
        return [out, b.readUint8(0), typeof b.readUint32LE];`,
      search: `const b = Buffer.from('abcabcab'); return [b.indexOf('ca'), b.indexOf('ca', 3), b.lastIndexOf('ab'), b.lastIndexOf('ab', 5), b.indexOf(98), b.indexOf(Buffer.from('bc'), -4), b.includes('z'), b.indexOf(''), b.indexOf('', 20), b.lastIndexOf(''), b.indexOf('YWI', 0, 'base64'), b.lastIndexOf('b', -3), b.lastIndexOf(97, 2), b.indexOf('c', 'utf8'), b.indexOf('abcabcabc')];`,
      edit: `const b = Buffer.alloc(10); return [b.fill('xyz'), b.fill(0, 2, 4), b.fill('6162', 'hex').toString(), b.write('h\\u00e9', 1), b.toString('latin1'), b.write('\\u20ac\\u20ac', 5, 4), b, Buffer.from('abc').copy(b, 8), b, b.slice(-3), b.subarray(2, 4).length, Buffer.from('abcd').swap16().toString(), b.equals(Buffer.from(b)), Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.concat([Buffer.from('a'), new Uint8Array([1])], 4), b.compare(Buffer.from('abc'), 0, 2, 1, 3), b.fill(''), Buffer.alloc(5, 'ab'), Buffer.alloc(3, 1)];`,
      shape: `const b = Buffer.from('abc'); return [b instanceof Uint8Array, Buffer.isBuffer(b), Buffer.isBuffer(new Uint8Array(1)), b.constructor === Buffer, b.map((x) => x + 1), b.toJSON(), JSON.stringify(b), Object.prototype.toString.call(b), Buffer.isEncoding('hex'), Buffer.isEncoding('x'), Buffer.of(1, 2), new Buffer('x'), Buffer(2), Buffer.name, Buffer.poolSize, isUtf8(Buffer.from([0xff])), isAscii(b), transcode(Buffer.from('\\u20ac'), 'utf8', 'latin1'), constants, kMaxLength, [...b.entries()], b.toString('utf8', 1, 2), b.toString(undefined, 1), b.at(-1), Buffer.copyBytesFrom(new Uint16Array([1, 2]), 1), b.toLocaleString(), b.latin1Slice(0, 2), Buffer.from('abc').reverse().toString()];`,
    });
  });

  it('node:string_decoder', async () => {
    await compare(runtime, `import { StringDecoder } from 'string_decoder'; import { Buffer } from 'buffer';`, {
      pieces: `const out = []; for (const encoding of ['utf8', 'utf16le', 'base64', 'base64url', 'hex', 'latin1']) { for (const size of [1, 2, 3, 5]) { const d = new StringDecoder(encoding); const b = Buffer.from('a\\u20ac\\u{1F600}z\\ufeff!'); let t = ''; for (let i = 0; i < b.length; i += size) t += d.write(b.subarray(i, i + size)) + '|'; out.push([d.encoding, size, t + d.end()]); } } return out;`,
      cut: `const d = new StringDecoder(); return [d.write(Buffer.from([0xe2, 0x82])), d.end(), d.write(Buffer.from([0xff])), d.end(Buffer.from('x')), attempt(() => new StringDecoder('nope')), attempt(() => d.write(5))];`,
    });
  });

  it('node:events', async () => {
    await compare(
      runtime,
      `import EventEmitter, { once, on, getEventListeners, errorMonitor, setMaxListeners, getMaxListeners, captureRejectionSymbol, addAbortListener, EventEmitterAsyncResource } from 'node:events'; import { inherits } from 'node:util';`,
      {
        order: `const e = new EventEmitter(); const log = []; e.on('newListener', (n) => log.push('new ' + String(n))); e.on('removeListener', (n) => log.push('gone ' + n)); e.on('a', () => log.push(1)); e.prependListener('a', () => log.push(0)); e.once('a', (...args) => log.push(args)); log.push(e.emit('a', 5, 6), e.emit('a'), e.emit('b'), e.listenerCount('a'), e.eventNames()); e.removeAllListeners('a'); return [log, e.eventNames(), e.rawListeners('a').length];`,
        errors: `const e = new EventEmitter(); const seen = []; return [attempt(() => e.emit('error', new TypeError('x'))), attempt(() => e.emit('error', 'text')), attempt(() => e.emit('error')), attempt(() => e.emit('error', { a: 1 })), attempt(() => e.on('x', 5)), attempt(() => e.setMaxListeners(-1)), (e.on(errorMonitor, (er) => seen.push(er.message)), attempt(() => e.emit('error', new Error('m')))), seen];`,
        old: `function Old() { EventEmitter.call(this); } inherits(Old, EventEmitter); const o = new Old(); let got; o.on('x', function (v) { got = [v, this === o]; }); o.emit('x', 1); const mixed = Object.assign({}, EventEmitter.prototype); mixed.on('y', (v) => { got.push(v); }); mixed.emit('y', 2); return [got, Old.super_ === EventEmitter, o instanceof EventEmitter, EventEmitter.EventEmitter === EventEmitter, EventEmitter.defaultMaxListeners];`,
        once: `const e = new EventEmitter(); setTimeout(() => e.emit('x', 1, 2), 1); const first = await once(e, 'x'); setTimeout(() => e.emit('error', new Error('bad')), 1); const failed = await once(e, 'x').catch((er) => er); const c = new AbortController(); setTimeout(() => c.abort(), 1); const aborted = await once(e, 'x', { signal: c.signal }).catch((er) => [er.name, er.code, er.message]); const t = new EventTarget(); setTimeout(() => t.dispatchEvent(new Event('z')), 1); return [first, failed, aborted, (await once(t, 'z'))[0].type];`,
        on: `const e = new EventEmitter(); const out = []; setTimeout(() => { e.emit('x', 1); e.emit('x', 2); e.emit('end'); }, 1); for await (const v of on(e, 'x', { close: ['end'] })) out.push(v); return out;`,
        removal: `const e = new EventEmitter(); const log = []; const b = () => log.push('b'); e.on('x', () => { log.push('a'); e.off('x', b); }); e.on('x', b); e.emit('x'); e.emit('x'); return log;`,
        captured: `const e = new EventEmitter({ captureRejections: true }); e.on('x', async () => { throw new Error('later'); }); const p = new Promise((r) => e.on('error', r)); e.emit('x'); return await p;`,
        more: `const e = new EventEmitter(); e.on('x', () => {}); setMaxListeners(20, e); return [getEventListeners(e, 'x').length, getMaxListeners(e), String(captureRejectionSymbol), typeof addAbortListener, EventEmitter.listenerCount(e, 'x'), new EventEmitterAsyncResource({ name: 'N' }).emit('q'), EventEmitter.name, EventEmitter.length];`,
      },
    );
  });

  it('node:util', async () => {
    await compare(
      runtime,
      `import util, { promisify, callbackify, inherits, deprecate, types, isDeepStrictEqual, parseArgs, styleText, stripVTControlCharacters, format, inspect, MIMEType, toUSVString, debuglog, parseEnv } from 'node:util';`,
      {
        promisify: `const f = (a, b, cb) => cb(null, a + b); const g = (cb) => cb(new Error('no')); const h = Object.assign(() => {}, { [promisify.custom]: async () => 'custom' }); return [await promisify(f)(1, 2), await promisify(g)().catch((e) => e), await promisify(h)(), promisify(f).name, attempt(() => promisify(5))];`,
        callbackify: `const run = (f, ...a) => new Promise((r) => callbackify(f)(...a, (...v) => r(v))); return [await run(async (x) => x * 2, 4), await run(async () => { throw new Error('x'); }), await run(() => Promise.reject(null)), callbackify(async function foo(a) {}).length];`,
        inherits: `function A() {} A.prototype.x = 1; function B() {} inherits(B, A); return [new B().x, B.super_ === A];`,
        types: `const values = [new Date(), /x/, new Map(), new Set(), new WeakMap(), Promise.resolve(), new Error('x'), function* () {}, async () => {}, (function* () {})(), new Uint8Array(), new DataView(new ArrayBuffer(1)), new ArrayBuffer(1), Object(1), Object('s'), Object(1n), Object(Symbol('x')), (function () { return arguments; })(), new Map().entries(), new Set().values(), {}, null, 5, { [Symbol.toStringTag]: 'Map' }, new Float32Array(), new BigInt64Array()]; const names = Object.keys(types).filter((n) => !/External|Proxy|KeyObject|CryptoKey|EventTarget|SharedArray|isModule/.test(n)).sort(); return names.map((n) => [n, values.map((v) => types[n](v) ? 1 : 0).join('')]);`,
        equal: `const c1 = { a: 1 }; c1.self = c1; const c2 = { a: 1 }; c2.self = c2; return [[{ a: 1 }, { a: 1 }], [[1, 2], [1, 2]], [[1], [2]], [NaN, NaN], [0, -0], [new Set([1, { a: 1 }]), new Set([{ a: 1 }, 1])], [new Map([[{ k: 1 }, 'v']]), new Map([[{ k: 1 }, 'v']])], [new Date(1), new Date(1)], [/a/g, /a/i], [new Error('a'), new Error('b')], [c1, c2], [{ a: undefined }, {}], [[1, , 3], [1, undefined, 3]], [Object.create(null), {}], [new Uint8Array([1]), new Uint8Array([1])], [new Uint8Array([1]), [1]], [Object(1), Object(1)], [Symbol.for('x'), Symbol.for('x')], ['1', 1], [null, undefined], [new Map([[1, { a: 1 }]]), new Map([[1, { a: 2 }]])]].map(([a, b]) => isDeepStrictEqual(a, b));`,
        format: `return [format('%s %d %i %f %j %O %%', 'a', 1.5, 2.7, '3.25', { a: 1 }, { b: 2 }), format('a', 'b', 3), format('%s', null, undefined), format(1, 2, '3'), format('%x', 1), format('%s', 5n), format({ a: 'x' })];`,
        inspect: `class Foo { constructor() { this.x = 1; } } return [inspect({ a: 1, b: 'x', c: [1, 2, { d: 3 }] }), inspect([1, 2, 3]), inspect(new Map([[1, { a: 2 }]])), inspect(new Foo()), inspect('str'), inspect(null), inspect({ a: { b: { c: { d: 1 } } } }), inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }), inspect({ [inspect.custom]: () => 'CUSTOM' }), inspect({ x: { [inspect.custom]: (d, o, i) => 'in ' + d + typeof i } }), inspect(() => {}), inspect(Symbol('s')), inspect(-0), inspect([undefined, null])];`,
        args: `return [parseArgs({ args: ['-f', '--bar', 'b', 'pos'], options: { foo: { type: 'boolean', short: 'f' }, bar: { type: 'string' } }, allowPositionals: true }), attempt(() => parseArgs({ args: ['--nope'] })).code];`,
        text: `return [styleText('red', 'x', { validateStream: false }), styleText(['bold', 'underline'], 'y', { validateStream: false }), stripVTControlCharacters('\\u001B[31mred\\u001B[0m'), toUSVString('a\\ud800'), String(new MIMEType('Text/HTML; charset=UTF-8; q="a b"')), new MIMEType('a/b').essence, attempt(() => new MIMEType('x')).code, debuglog('x').enabled, parseEnv('A=1\\nB="two words"\\n# c\\nexport C=\\'x\\' # y\\nD=a # b')];`,
        deprecated: `const f = deprecate((a) => a + 1, 'old'); return [f(1), util.isArray([]), typeof util._extend, util._extend({ a: 1 }, { b: 2 })];`,
      },
    );
  });

  it('node:assert', async () => {
    await compare(
      runtime,
      `import assert, { AssertionError, strict } from 'node:assert'; import strict2 from 'assert/strict';`,
      {
        pass: `assert(true); assert.ok(1); assert.equal(1, '1'); assert.deepEqual({ a: 1 }, { a: '1' }); assert.strictEqual(NaN, NaN); assert.deepStrictEqual([1, { a: 2 }], [1, { a: 2 }]); assert.throws(() => { throw new TypeError('bad'); }, TypeError); assert.throws(() => { throw new TypeError('bad'); }, /bad/); assert.throws(() => { throw new TypeError('bad'); }, { name: 'TypeError', message: /ba/ }); await assert.rejects(async () => { throw new Error('x'); }, { message: 'x' }); await assert.rejects(Promise.reject(new Error('y'))); assert.doesNotThrow(() => {}); assert.match('abc', /b/); assert.ifError(null); assert.notDeepStrictEqual({ a: 1 }, { a: 2 }); assert.partialDeepStrictEqual({ a: 1, b: 2 }, { a: 1 }); return [strict === strict2, strict.equal === assert.strictEqual, assert.strict === strict];`,
        fail: `const brief = (e) => [e.name, e.code, e.operator, e.generatedMessage, e instanceof AssertionError, e instanceof Error]; return [() => assert(0, 'no'), () => assert.equal(1, 2), () => assert.equal(1, 2, 'msg'), () => assert.strictEqual(1, 2), () => assert.strictEqual('a', 'b'), () => assert.deepStrictEqual({ a: 1 }, { a: 2 }), () => assert.throws(() => {}), () => assert.throws(() => { throw new Error('x'); }, TypeError), () => assert.fail(), () => assert.fail('f'), () => assert.notStrictEqual(1, 1), () => assert.ifError(new Error('e')), () => assert.doesNotThrow(() => { throw new Error('d'); }), () => assert.match('a', /b/)].map((f) => brief(attempt(f)));`,
        messages: `return [() => assert.equal(1, 2), () => assert.strictEqual(1, 2), () => assert.notStrictEqual(1, 1), () => assert.fail('f'), () => assert.throws(() => {}), () => assert.throws(() => {}, TypeError), () => assert.throws(() => {}, 'why'), () => assert.ifError(new Error('e')), () => assert.match('a', /b/), () => assert.doesNotThrow(() => { throw new Error('d'); }, 'm'), () => assert.strictEqual(1), () => assert.throws(5)].map((f) => attempt(f).message);`,
      },
    );
  });

  it('node:path, node:url, node:querystring and node:punycode', async () => {
    await compare(
      runtime,
      `import path from 'node:path'; import posix from 'path/posix'; import url, { fileURLToPath, pathToFileURL, domainToASCII, urlToHttpOptions, URL as U } from 'node:url'; import qs from 'querystring'; import punycode from 'punycode';`,
      {
        path: `const all = ['', '/', 'a', '/a/b', '/a/b/', '../x', 'a/./b/../c', '//a//b', 'x.txt', '.hidden', 'a.b.c', 'C:\\\\x\\\\y', '/a/b.c/']; return [all.map((p) => [path.normalize(p), path.dirname(p), path.basename(p), path.extname(p), path.isAbsolute(p), path.parse(p), path.basename(p, '.txt')]), path.join('/a', '..', '..', 'b', './c'), path.resolve('/a', 'b', '../c'), path.relative('/a/b/c', '/a/d'), path.format({ dir: '/x', base: 'y.z' }), path.sep, path.delimiter, posix === path, path.win32.sep, path.posix === path];`,
        url: `return ['http://u:p@h.com:80/p/a?q=1&r=2#f', '/a?b=c', '//h/x', 'mailto:a@b', 'javascript:alert(1)', 'HTTP://EXAMPLE.com', 'http://a.com/\\u20ac x', ''].map((u) => [{ ...url.parse(u) }, url.format(url.parse(u))]).concat([url.resolve('/one/two/three', 'four'), url.resolve('http://a/b', '../c'), url.parse('?a=1&b=2', true).query.b, fileURLToPath('file:///a%20b/c'), pathToFileURL('/a b/#c').href, domainToASCII('espa\\u00f1ol.com'), urlToHttpOptions(new URL('http://a:b@c:1/d?e')), U === URL, url.format(new URL('http://x/y?z#w'), { fragment: false }), url.format({ protocol: 'https', host: 'x.y', pathname: '/p', query: { a: [1, 2] } })]);`,
        qs: `return [{ ...qs.parse('a=1&b=2&a=3&c&d=&=e&%zz=1&f=%20+') }, qs.stringify({ a: 1, b: [true, 'x y'], c: null, d: 5n, e: '\\u20ac' }), qs.stringify({ a: 1, b: 2 }, ';', ':'), qs.escape('a b&\\u00e9'), qs.unescape('%41%zz'), { ...qs.parse('a:1;b:2', ';', ':') }];`,
        punycode: `return [punycode.toASCII('ma\\u00f1ana.com'), punycode.toUnicode('xn--maana-pta.com'), punycode.encode('\\u2603'), punycode.decode('n3h'), punycode.ucs2.decode('\\u{1F600}')];`,
      },
    );
  });

  it('node:timers, node:process and the globals', async () => {
    await compare(
      runtime,
      `import timers, { setTimeout as set } from 'node:timers'; import { setTimeout as sleep, setInterval as every, setImmediate as soon } from 'timers/promises'; import proc, { nextTick } from 'node:process'; import { promisify } from 'util';`,
      {
        timers: `const out = []; const t = set(() => out.push('never'), 5); t.unref().ref(); timers.clearTimeout(t); await new Promise((r) => set((a, b) => { out.push(a, b); r(); }, 1, 'x', 'y')); out.push(await sleep(1, 'v'), await soon('i')); let n = 0; for await (const v of every(1, 'tick')) { out.push(v); if (++n === 2) break; } const c = new AbortController(); c.abort(); out.push((await sleep(1, 0, { signal: c.signal }).catch((e) => [e.name, e.code]))); out.push(typeof t.refresh, t.hasRef(), await promisify(set)(1, 'p')); return out;`,
        immediate: `const log = []; await new Promise((r) => { const gone = setImmediate(() => log.push('gone')); clearImmediate(gone); setImmediate((v) => { log.push(v); r(); }, 'now'); Promise.resolve().then(() => log.push('micro')); }); return log;`,
        ticks: `const log = []; await new Promise((r) => { nextTick((a) => { log.push(a); r(); }, 'tick'); log.push('sync'); }); return [log, attempt(() => nextTick(5))];`,
        process: `process.env.X = 5; const copy = { ...process.env }; delete process.env.X; return [copy.X, process.env.X, 'X' in process.env, globalThis.process === proc, global === globalThis, process.platform, typeof process.hrtime.bigint(), process.hrtime().length, typeof process.uptime(), process.getBuiltinModule('node:path').sep, typeof process.on, Object.prototype.toString.call(process), process.release.name, typeof process.versions.node, typeof process.cwd(), process.exitCode];`,
        events: `let got; process.once('custom', (v) => { got = v; }); process.emit('custom', 3); return got;`,
      },
    );
  });

  it('node:stream', async () => {
    await compare(
      runtime,
      `import stream, { Readable, Writable, Transform, PassThrough, Duplex, pipeline, finished, addAbortSignal, duplexPair } from 'node:stream'; import { pipeline as pipe, finished as done } from 'stream/promises'; import { text, json, buffer, arrayBuffer } from 'stream/consumers'; import { ReadableStream as RS } from 'stream/web'; import { Buffer } from 'buffer';`,
      {
        pipeline: `const out = []; const up = () => new Transform({ transform(c, e, cb) { cb(null, c.toString().toUpperCase()); } }); await pipe(Readable.from(['a', 'b']), up(), async function* (src) { let all = ''; for await (const c of src) all += c; yield all; }, new Writable({ write(c, e, cb) { out.push(c.toString()); cb(); } })); const failed = await pipe(Readable.from(['a']), new Transform({ transform(c, e, cb) { cb(new Error('boom')); } }), new PassThrough()).catch((e) => e); return [out, failed];`,
        events: `const log = []; const r = new Readable({ read() {} }); for (const n of ['end', 'close', 'pause', 'resume']) r.on(n, () => log.push(n)); r.on('data', (c) => log.push(c.toString())); r.push('x'); r.push('y'); r.push(null); await done(r); await new Promise((s) => setTimeout(s, 2)); return log;`,
        write: `const log = []; const w = new Writable({ highWaterMark: 3, write(c, e, cb) { log.push(c.toString()); setTimeout(cb, 1); }, final(cb) { log.push('final'); cb(); } }); log.push(w.write('ab'), w.write('cd')); await new Promise((r) => w.once('drain', r)); log.push('drained'); w.end('z'); await done(w); return [log, w.writableEnded, w.writableFinished, w.destroyed];`,
        consumers: `return [await text(Readable.from(['a', 'b'])), await json(Readable.from(['{"a":', '1}'])), await buffer(Readable.from([Buffer.from('x')])), (await arrayBuffer(Readable.from([Buffer.from('xyz')]))).byteLength];`,
        web: `const node = Readable.fromWeb(new RS({ start(c) { c.enqueue('p'); c.enqueue('q'); c.close(); } }), { objectMode: true }); const a = await node.toArray(); const web = Readable.toWeb(Readable.from([Buffer.from('hi')])); const chunks = []; for await (const c of web) chunks.push(c); const sunk = []; const w = Writable.toWeb(new Writable({ write(c, e, cb) { sunk.push(c.toString()); cb(); } })).getWriter(); await w.write(Buffer.from('1')); await w.write(Buffer.from('2')); await w.close(); const d = Duplex.fromWeb(new TransformStream({ transform(c, k) { k.enqueue(c.toString().toUpperCase()); } }), { encoding: 'utf8', objectMode: true }); d.end('up'); return [a, chunks.map((c) => [c.constructor === Uint8Array || Buffer.isBuffer(c), Array.from(Buffer.from(c)).join()]), sunk, await text(d)];`,
        operators: `return [await Readable.from([1, 2, 3, 4]).filter((x) => x % 2).map((x) => x * 10).toArray(), await Readable.from([1, 2]).reduce((a, b) => a + b, 0), await Readable.from([1, 2, 3]).take(2).toArray(), stream === stream.Stream, new PassThrough() instanceof Duplex, new PassThrough() instanceof Writable, Readable.from([]) instanceof stream];`,
        errors: `const r = new Readable({ read() {} }); const p = done(r).catch((e) => e); r.destroy(new Error('gone')); const c = new AbortController(); const s = addAbortSignal(c.signal, new Readable({ read() {} })); const q = done(s).catch((e) => [e.name, e.code]); c.abort(); const early = new PassThrough(); const z = done(early).catch((e) => e.code); early.destroy(); return [await p, await q, await z, attempt(() => new Writable().write(null))];`,
        pair: `const [a, b] = duplexPair(); a.end('hello'); b.end('back'); return [await text(b), await text(a)];`,
        iterate: `const out = []; for await (const c of Readable.from(['x', 'y']).setEncoding('utf8')) out.push(c); const r = new Readable({ read() { this.push('z'); } }); for await (const c of r) { out.push(c.toString()); break; } return [out, r.destroyed];`,
      },
    );
  });

  it('node:diagnostics_channel', async () => {
    await compare(
      runtime,
      `import dc, { channel, tracingChannel, subscribe, unsubscribe, hasSubscribers } from 'node:diagnostics_channel'; import { AsyncLocalStorage } from 'async_hooks';`,
      {
        channels: `const log = []; const c = channel('x'); const f = (m, n) => log.push([m, n]); subscribe('x', f); c.publish({ a: 1 }); log.push(c.hasSubscribers, hasSubscribers('x'), c === channel('x'), unsubscribe('x', f), c.hasSubscribers); return log;`,
        stores: `const als = new AsyncLocalStorage(); const c = channel('s'); c.bindStore(als, (d) => d.v); return c.runStores({ v: 7 }, function (a) { return [als.getStore(), this.t, a]; }, { t: 1 }, 'arg');`,
        tracing: `const log = []; const t = tracingChannel('op'); t.subscribe({ start: (m) => log.push(['start', m.id]), end: (m) => log.push(['end', m.result]), asyncStart: () => log.push('as'), asyncEnd: (m) => log.push(['ae', m.result]), error: (m) => log.push(['err', m.error.message]) }); log.push(t.traceSync((x) => x + 1, { id: 1 }, null, 4)); log.push(attempt(() => t.traceSync(() => { throw new Error('t'); }, {}))); log.push(await t.tracePromise(async () => 'p', {})); t.traceCallback((cb) => cb(null, 'r'), 0, {}, null, (e, r) => log.push(['cb', e, r])); return log;`,
      },
    );
  });
});
