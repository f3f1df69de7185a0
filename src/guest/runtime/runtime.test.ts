import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ENTER, HOST } from '../abi.ts';
import { createGuest, fromBytes, type HostCall, type TestGuest, toBytes } from '../testing/guest.ts';

const TEXT = '\ncontent-type\ntext/plain;charset=UTF-8';

describe('guest runtime', () => {
  const open: TestGuest[] = [];
  const guestOf = async (...args: Parameters<typeof createGuest>): Promise<TestGuest> => {
    const guest = await createGuest(...args);
    open.push(guest);
    return guest;
  };
  /** A guest whose fetch handler is this body, with `request`, `env`, `ctx` and `path`. */
  const handler = (body: string, options: Parameters<typeof createGuest>[1] = {}): Promise<TestGuest> =>
    guestOf(
      `export default { async fetch(request, env, ctx) { const path = new URL(request.url).pathname.slice(1); ${body} } }`,
      options,
    );
  after(() => {
    for (const guest of open) guest.dispose();
  });

  describe('fetch events', () => {
    it('answers a string body with one host call that also ends the invocation', async () => {
      const guest = await handler(`return new Response('hello ' + request.headers.get('Host'))`);
      const calls = guest.fetch('http://a.example/', { headers: ['Host', 'a.example'] });
      assert.deepEqual(calls, [[HOST.respond, 1, 200, TEXT, 'hello a.example', -1]]);
    });

    it('gives whole and streamed request bodies as text', async () => {
      const guest = await handler(
        `return new Response(await request.text() + '!', { status: 201, headers: { a: 'b' } })`,
      );
      const whole = guest.fetch('http://a.example/', { method: 'POST', body: 'whole' });
      assert.deepEqual(whole, [[HOST.respond, 1, 201, `\na\nb${TEXT}`, 'whole!', -1]]);
      const streamed = guest.fetch('http://a.example/', { method: 'POST', stream: 9 });
      assert.deepEqual(streamed, [[HOST.pull, 9, 1]]);
      guest.enter(ENTER.chunk, 9, toBytes('streamed'), 1);
      assert.deepEqual(guest.calls(), [[HOST.respond, 2, 201, `\na\nb${TEXT}`, 'streamed!', -1]]);
    });

    it('reports what the handler throws, and a return value that is no Response', async () => {
      const guest = await handler(
        `if (path === 'throw') throw new RangeError('bad'); if (path === 'string') throw 'bad'; return 5`,
      );
      const [exception, done] = guest.fetch('http://a.example/throw') as [HostCall, HostCall];
      assert.deepEqual(exception.slice(0, 4), [HOST.exception, 1, 'RangeError', 'bad']);
      assert.match(String(exception[4]), /^RangeError: bad\n {4}at Object.fetch \(index.js:1:\d+\)/);
      assert.deepEqual(done, [HOST.done, 1, 'exception']);
      assert.deepEqual(guest.fetch('http://a.example/string')[0], [HOST.exception, 2, 'Error', 'bad', '']);
      assert.match(String(guest.fetch('http://a.example/number')[0]?.[3]), /did not return a Response/);
    });

    it('is not led astray by hostile exceptions', async () => {
      const guest = await handler(`
        Error.prepareStackTrace = () => { throw 1 };
        if (path === 'proxy') throw new Proxy({}, { get() { throw 1 } });
        throw Object.defineProperty(new Error('x'.repeat(100000)), 'stack', { get() { return {} } });`);
      assert.deepEqual(guest.fetch('http://a.example/proxy')[1], [HOST.done, 1, 'exception']);
      const [exception] = guest.fetch('http://a.example/stack') as [HostCall];
      assert.equal(String(exception[3]).length, 8192);
      assert.equal(exception[4], '');
    });

    it('stays open for waitUntil and closes once every promise has settled', async () => {
      const guest = await handler(
        `ctx.waitUntil(new Promise((resolve, reject) => setTimeout(() => reject(new Error('late')), 7))); return new Response('x')`,
      );
      const [timer, respond] = guest.fetch('http://a.example/') as [HostCall, HostCall];
      assert.deepEqual(timer.slice(2), [1, 7]);
      assert.deepEqual(respond, [HOST.respond, 1, 200, TEXT, 'x', 0]);
      guest.enter(ENTER.timer, timer[1]);
      const [exception, done] = guest.calls() as [HostCall, HostCall];
      assert.deepEqual(exception.slice(0, 4), [HOST.exception, 1, 'Error', 'late']);
      assert.deepEqual(done, [HOST.done, 1, 'ok']);
    });

    it('aborts request.signal when the client has gone, and forgets everything at close', async () => {
      const guest = await handler(
        `request.signal.addEventListener('abort', () => console.log('gone')); setTimeout(() => console.log('never'), 5); await new Promise(() => {})`,
      );
      const [timer] = guest.fetch('http://a.example/') as [HostCall];
      guest.enter(ENTER.abort, 1);
      assert.deepEqual(guest.calls(), [[HOST.log, 1, 'log', 'gone']]);
      guest.enter(ENTER.close, 1);
      guest.enter(ENTER.timer, timer[1]);
      assert.deepEqual(guest.calls(), []);
    });

    it('finds each of several invocations under way, in whatever order they end', async () => {
      const guest = await handler(
        `const name = new URL(request.url).pathname;
        request.signal.addEventListener('abort', () => console.log(name));
        if (name === '/4') return new Response('at once');
        await new Promise(() => {})`,
      );
      for (const id of [1, 2, 3, 4]) guest.fetch(`http://a.example/${id}`);
      guest.calls();
      for (const id of [2, 3, 4, 1]) guest.enter(ENTER.abort, id);
      assert.deepEqual(
        guest.calls().map(([, id]) => id),
        [2, 3, 1],
      );
      guest.enter(ENTER.close, 3);
      guest.enter(ENTER.close, 1);
      for (const id of [3, 1]) guest.enter(ENTER.abort, id);
      assert.deepEqual(guest.calls(), []);
    });

    it('answers with a response once, and fails when it is returned again', async () => {
      const guest = await createGuest(
        `const response = new Response('x'); export default { fetch() { return response } }`,
      );
      assert.deepEqual(guest.fetch('http://a.example/')[0]?.slice(0, 5), [
        HOST.respond,
        1,
        200,
        '\ncontent-type\ntext/plain;charset=UTF-8',
        'x',
      ]);
      const [exception] = guest.fetch('http://a.example/');
      assert.equal(exception?.[0], HOST.exception);
      assert.match(String(exception[3]), /already been used/);
      guest.dispose();
    });

    it('keeps its records to itself whatever is on Object.prototype', async () => {
      const guest = await createGuest(
        `for (const name of ['kind', 'source', 'used', 'closed', 'parts', 'resources', 'list', 'headers', 'head']) {
          Object.defineProperty(Object.prototype, name, { set() { throw new Error(name) }, get() { throw new Error(name) } });
        }
        export default { fetch(request) { return new Response(request.method + request.headers.get('a')) } }`,
      );
      assert.equal(guest.fetch('http://a.example/', { headers: ['a', 'b'] })[0]?.[4], 'GETb');
      guest.dispose();
    });

    it('wakes nobody when the host closes an invocation', async () => {
      const guest = await handler(`
        const say = (what) => () => console.log(what);
        request.text().then(say('read'), say('failed'));
        fetch('http://b.example/', { method: 'PUT', body: new ReadableStream({ cancel: say('canceled') }) }).finally(say('fetched'));
        await new Promise(() => {})`);
      guest.fetch('http://a.example/', { method: 'POST', stream: 5 });
      guest.enter(ENTER.close, 1);
      assert.deepEqual(guest.calls(), []);
    });

    it('constructs a class exported by default for each event', async () => {
      const guest = await guestOf(
        `export default class { constructor(ctx, env) { this.env = env } fetch() { return new Response(this.env.NAME) } }`,
        { bindings: [{ type: 'plain_text', name: 'NAME', text: 'value' }] },
      );
      assert.equal(guest.fetch('http://a.example/')[0]?.[4], 'value');
    });
  });

  it('runs scheduled events', async () => {
    const guest = await guestOf(`export default { scheduled(event) { console.log(event.cron, event.scheduledTime) } }`);
    assert.equal(guest.handlers, 'scheduled');
    guest.enter(ENTER.scheduled, 1, '* * * * *', 5);
    assert.deepEqual(guest.calls(), [
      [HOST.log, 1, 'log', '* * * * * 5'],
      [HOST.done, 1, 'ok'],
    ]);
  });

  it('refuses a module without handlers', async () => {
    await assert.rejects(guestOf('export const a = 1'), /no default export/);
    await assert.rejects(guestOf('export default {}'), /no fetch\(\) or scheduled\(\) handler/);
  });

  describe('out-streams', () => {
    const source = `let n = 0; return new Response(new ReadableStream({
      pull(c) { if (n++ < 3) c.enqueue(new Uint8Array(100_000)); else c.close() }, cancel() { console.log('canceled') } }))`;

    it('write within their credit, in chunks of at most 64 KiB, and end the invocation', async () => {
      const guest = await handler(source);
      const [respond, ...first] = guest.fetch('http://a.example/') as [HostCall];
      const stream = Number(respond[5]);
      assert.deepEqual(respond.slice(0, 5), [HOST.respond, 1, 200, '', undefined]);
      let total = 0;
      let last: HostCall[] = first;
      for (let turn = 0; last.at(-1)?.[0] !== HOST.done; turn++) {
        assert.ok(turn < 10);
        const bytes = last.map((call) => (call[0] === HOST.write ? (call[2] as ArrayBuffer).byteLength : 0));
        const sent = bytes.reduce((sum, size) => sum + size, 0);
        assert.ok(sent <= 65_536);
        total += sent;
        guest.enter(ENTER.credit, stream, 65_536);
        last = guest.calls();
      }
      total += last.reduce((sum, call) => sum + (call[0] === HOST.write ? (call[2] as ArrayBuffer).byteLength : 0), 0);
      assert.equal(total, 300_000);
      assert.deepEqual(last.slice(-2), [
        [HOST.end, stream],
        [HOST.done, 1, 'ok'],
      ]);
    });

    it('cancel their source when the peer takes no more', async () => {
      const guest = await handler(source);
      const [respond] = guest.fetch('http://a.example/') as [HostCall];
      guest.enter(ENTER.credit, Number(respond[5]), -1);
      assert.deepEqual(guest.calls(), [
        [HOST.log, 1, 'log', 'canceled'],
        [HOST.done, 1, 'ok'],
      ]);
    });

    it('fail on a chunk that is not bytes', async () => {
      const guest = await handler(`return new Response(new ReadableStream({ start(c) { c.enqueue('text') } }))`);
      const calls = guest.fetch('http://a.example/');
      assert.deepEqual(
        calls.map((call) => call[0]),
        [HOST.respond, HOST.fail, HOST.exception, HOST.done],
      );
    });
  });

  describe('fetch()', () => {
    it('sends method, headers and body, and resolves with the answer', async () => {
      const guest = await handler(`
        const response = await fetch('http://b.example/x#y', { method: 'post', body: 'data', headers: { X: 'y' } });
        return Response.json([response.status, response.url, response.headers.get('a'), await response.text()])`);
      const [call] = guest.fetch('http://a.example/') as [HostCall];
      const head = `POST\nhttp://b.example/x\nfollow\nx\ny${TEXT}`;
      assert.deepEqual(call, [HOST.fetch, call[1], 1, head, 'data', -1]);
      guest.enter(ENTER.deliver, call[1], 1, '404\nNot Found\nhttp://b.example/x\n0\nA\nb', toBytes('body'));
      assert.equal(guest.calls()[0]?.[4], '[404,"http://b.example/x","b","body"]');
    });

    it('reaches a service binding and streams its answer through', async () => {
      const guest = await handler(`return env.OTHER.fetch(request)`, {
        bindings: [{ type: 'service', name: 'OTHER' }],
      });
      const [call] = guest.fetch('http://a.example/') as [HostCall];
      assert.equal(call[5], 0);
      guest.enter(ENTER.deliver, call[1], 1, '200\nOK\nhttp://a.example/\n0', 30);
      const [respond, pull] = guest.calls() as [HostCall, HostCall];
      assert.deepEqual(pull, [HOST.pull, 30, 0]);
      guest.enter(ENTER.chunk, 30, toBytes('end'), 1);
      const [write, end, done] = guest.calls() as [HostCall, HostCall, HostCall];
      assert.equal(fromBytes(write[2]), 'end');
      assert.deepEqual(end, [HOST.end, respond[5]]);
      assert.deepEqual(done, [HOST.done, 1, 'ok']);
    });

    it('cancels the call when its signal aborts, and rejects on failure', async () => {
      const guest = await handler(`
        const controller = new AbortController();
        const waiting = fetch('http://b.example/', { signal: controller.signal });
        if (path === 'abort') controller.abort();
        return new Response(await waiting.catch((error) => error.name + ': ' + error.message))`);
      const [call, cancel, respond] = guest.fetch('http://a.example/abort') as [HostCall, HostCall, HostCall];
      assert.deepEqual(cancel, [HOST.cancel, call[1]]);
      assert.match(String(respond[4]), /^AbortError/);
      const [second] = guest.fetch('http://a.example/') as [HostCall];
      guest.enter(ENTER.deliver, second[1], 0, 'connection refused');
      assert.equal(guest.calls()[0]?.[4], 'TypeError: connection refused');
    });

    it('uploads a stream by credit', async () => {
      const guest = await handler(`
        const body = new ReadableStream({ start(c) { c.enqueue(new Uint8Array(70000)); c.close() } });
        await fetch('http://b.example/', { method: 'PUT', body }); return new Response()`);
      const [call, write] = guest.fetch('http://a.example/') as [HostCall, HostCall];
      assert.equal(call[4], write[1]);
      assert.equal((write[2] as ArrayBuffer).byteLength, 65_536);
      guest.enter(ENTER.credit, write[1], 65_536);
      assert.deepEqual(
        guest.calls().map((each) => each[0]),
        [HOST.write, HOST.end],
      );
      guest.enter(ENTER.deliver, call[1], 1, '200\nOK\nhttp://b.example/\n0', 0);
      assert.deepEqual(guest.calls(), [[HOST.respond, 1, 200, '', undefined, -1]]);
    });

    it('keeps the limit on subrequests', async () => {
      const code = `const all = await Promise.allSettled([1, 2, 3].map(() => fetch('http://b.example/')));
        return new Response(all.map((each) => each.reason?.message ?? 'ok').join())`;
      const guest = await handler(code, { subrequests: 2 });
      const calls = guest.fetch('http://a.example/');
      assert.equal(calls.length, 2);
      for (const call of calls) guest.enter(ENTER.deliver, call[1], 1, '200\nOK\nhttp://b.example/\n0', 0);
      assert.equal(guest.calls()[0]?.[4], 'ok,ok,Too many subrequests: an invocation may make 2');
    });
  });

  describe('timers', () => {
    it('fire once or again and again, until cleared', async () => {
      const guest = await handler(`
        let count = 0;
        await new Promise((resolve) => { const id = setInterval((add) => { count += add; if (count === 4) { clearInterval(id); resolve() } }, 5, 2) });
        await scheduler.wait(3);
        return new Response(String(count))`);
      const [first] = guest.fetch('http://a.example/') as [HostCall];
      assert.deepEqual(first.slice(2), [1, 5]);
      guest.enter(ENTER.timer, first[1]);
      assert.deepEqual(guest.calls(), [first]);
      guest.enter(ENTER.timer, first[1]);
      const [clear, wait] = guest.calls() as [HostCall, HostCall];
      assert.deepEqual(clear, [HOST.clearTimer, first[1]]);
      guest.enter(ENTER.timer, wait[1]);
      assert.equal(guest.calls()[0]?.[4], '4');
    });

    it('are limited in number', async () => {
      const guest = await handler(
        `try { for (;;) setTimeout(() => {}) } catch (error) { return new Response(error.message) }`,
        {
          maxTimers: 3,
        },
      );
      assert.equal(guest.fetch('http://a.example/').at(-1)?.[4], 'Cannot set a timer: 3 are pending, the limit is 3');
    });

    it('as all I/O, are not for start-up', async () => {
      for (const what of ['setTimeout(() => {})', 'await fetch("http://a.example")', 'crypto.randomUUID()']) {
        const code = `let error; try { ${what} } catch (e) { error = e } export default { fetch() { return new Response(error.message) } }`;
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const guest = await guestOf(code);
        assert.match(
          String(guest.fetch('http://a.example/')[0]?.[4]),
          /^Disallowed operation called within global scope/,
        );
      }
    });
  });

  describe('modules that are not JavaScript', () => {
    // (func (export "add") (param i32 i32) (result i32)), and (memory (export "mem") 1)
    const add = '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b';
    const memory = '0061736d010000000503010001070701036d656d0200';
    const toBuffer = (hex: string): ArrayBuffer => new Uint8Array(Buffer.from(hex, 'hex')).buffer;

    it('become text, bytes, values and compiled modules', async () => {
      const guest = await handler('');
      guest.provide('text', toBytes('h\u00e9'));
      guest.provide('data', toBytes('abc'));
      guest.provide('json', toBytes('{"a":[1]}'));
      guest.provide('wasm', toBuffer(add));
      assert.equal(guest.evaluate('take(0)'), 'h\u00e9');
      assert.equal(guest.evaluate('take(1).byteLength'), '3');
      assert.equal(guest.evaluate('take(2).a'), '1');
      assert.equal(guest.evaluate('new WebAssembly.Instance(take(3)).exports.add(2, 3)'), '5');
      assert.equal(guest.evaluate('take(3) instanceof WebAssembly.Module'), 'true');
    });

    it('are instantiated at will without a memory, and a limited number of times with one', async () => {
      const guest = await handler('');
      guest.provide('wasm', toBuffer(add));
      guest.provide('wasm', toBuffer(memory));
      const count = (index: number): string =>
        guest.evaluate(
          `(() => { const all = []; try { while (all.length < 20) all.push(new WebAssembly.Instance(take(${index}))) } catch {} return all.length })()`,
        );
      assert.equal(count(0), '20');
      assert.equal(count(1), '4');
    });
  });

  describe('clocks', () => {
    it('stand still at the time of the entry', async () => {
      const guest = await handler(`
        class Sub extends Date {}
        return Response.json([
          Date.now(), +new Date(), +new Sub(), Date().slice(0, 24) === new Date(2000).toString().slice(0, 24), performance.now(),
          String(Temporal.Now.instant()), String(Temporal.Now.plainDateISO('UTC')), Temporal.Now.zonedDateTimeISO('UTC').epochMilliseconds,
          new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(), new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).formatToParts()[4].value,
          new Event('x').timeStamp,
        ])`);
      assert.deepEqual(JSON.parse(String(guest.fetch('http://a.example/')[0]?.[4])), [
        2000,
        2000,
        2000,
        true,
        1000,
        '1970-01-01T00:00:02Z',
        '1970-01-01',
        2000,
        '1/1/1970',
        '1970',
        1000,
      ]);
    });

    it('leave Date as it was otherwise', async () => {
      const guest = await handler('');
      const facts: [string, string][] = [
        ['Date.length', '7'],
        ['Date.name', 'Date'],
        ['Date.prototype.constructor === Date', 'true'],
        ['new Date() instanceof Date', 'true'],
        ['new Date(2020, 1, 2).getMonth()', '1'],
        ['Date.UTC(1970, 0, 2)', '86400000'],
        ['Date.parse("1970-01-02")', '86400000'],
        ['typeof Date()', 'string'],
        ['Object.getOwnPropertyDescriptor(globalThis, "Date").enumerable', 'false'],
        ['new (class A extends Date {})() instanceof Date', 'true'],
        ['Object.prototype.toString.call(Temporal)', '[object Temporal]'],
        ['Temporal.Duration.from("PT1H").hours', '1'],
      ];
      for (const [expression, value] of facts) assert.equal(guest.evaluate(expression), value, expression);
    });
  });

  it('names everything on the global as the property says', async () => {
    const guest = await handler('');
    const misnamed = `Object.entries(Object.getOwnPropertyDescriptors(globalThis))
      .filter(([name, { value }]) => typeof value === 'function' && (value.name !== name || (value.prototype?.constructor ?? value) !== value))
      .map(([name, { value }]) => name + ':' + value.name)`;
    assert.equal(guest.evaluate(misnamed), '');
  });

  it('console writes formatted lines of the running invocation', async () => {
    const guest = await handler(`
      console.warn('%s is %d', 'a', 1, { b: [2] }); console.group('g'); console.log('x\\ny'); console.groupEnd();
      console.count(); console.assert(false, 'no'); console.time('t'); console.timeEnd('t'); return new Response()`);
    const lines = guest.fetch('http://a.example/').slice(0, -1);
    assert.deepEqual(
      lines.map((call) => call.slice(2)),
      [
        ['warn', 'a is 1 { b: [ 2 ] }'],
        ['log', 'g'],
        ['log', '  x\n  y'],
        ['info', 'default: 1'],
        ['error', 'Assertion failed: no'],
        ['info', 't: 0 ms'],
      ],
    );
  });
});
