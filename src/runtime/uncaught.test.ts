import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { InvocationRecord } from '../model.ts';
import { Runtime } from './runtime.ts';

describe('what nobody catches', () => {
  let runtime: Runtime;
  const records: InvocationRecord[] = [];
  const waiting: (() => void)[] = [];

  before(async () => {
    runtime = await Runtime.create({
      onRecord: (record) => {
        records.push(record);
        waiting.shift()?.();
      },
    });
  });
  after(() => runtime.close());

  /** Serves one request with this handler body, after this top-level code; answers the record of it. */
  async function serve(body: string, before = ''): Promise<InvocationRecord & { text: string }> {
    const source = `${before}\nexport default { async fetch(request, env, ctx) {\n${body}\n} }`;
    await runtime.deploy('worker', { modules: { 'index.js': source } });
    const recorded = new Promise<void>((resolve) => waiting.push(resolve));
    const response = await runtime.fetch('worker', new Request('http://worker.example/'));
    const text = await response.text();
    await recorded;
    return { ...records.at(-1)!, text };
  }

  const REJECT = `(async function work() { throw new TypeError('lost') })(); return new Response('ok')`;

  it('a rejection without a handler is an exception with its own name and stack', async () => {
    const { exceptions, outcome, text } = await serve(REJECT);
    assert.equal(text, 'ok');
    assert.equal(outcome, 'ok');
    assert.deepEqual([exceptions[0]?.name, exceptions[0]?.message], ['TypeError', 'lost']);
    assert.match(String(exceptions[0]?.stack), /^TypeError: lost\n {4}at work \(index\.js:3:\d+\)/);
    assert.doesNotMatch(JSON.stringify(exceptions), /isolated-vm|node_modules|file:/);
    assert.equal(exceptions.length, 1);
  });

  it('listeners of unhandledrejection are told first, and can cancel', async () => {
    const listen = `addEventListener('unhandledrejection', (event) => {
      event.promise.catch((reason) => console.log('promise', reason === event.reason, event.promise instanceof Promise));
      console.log(event.reason instanceof TypeError, event.reason.message, event.isTrusted);
      if (event.reason.message === 'lost') event.preventDefault();
    })`;
    const canceled = await serve(REJECT, listen);
    assert.deepEqual(canceled.exceptions, []);
    assert.deepEqual(
      canceled.logs.map(({ message }) => message),
      ['true lost true', 'promise true true'],
    );
    const kept = await serve(REJECT.replace('lost', 'kept'), listen);
    assert.deepEqual([kept.exceptions[0]?.message, kept.logs.length], ['kept', 2]);
    const attribute = await serve(REJECT, 'onunhandledrejection = () => false;');
    assert.deepEqual(attribute.exceptions, []);
  });

  it('reasons of every kind arrive', async () => {
    const listen = `addEventListener('unhandledrejection', ({ reason }) => console.log(typeof reason, reason?.name, String(reason)))`;
    const cases = [
      ['Promise.reject(5)', 'number undefined 5'],
      [`Promise.reject('text\\n2')`, 'string undefined text\n2'],
      ['Promise.reject(null)', 'object undefined null'],
      [`const e = new RangeError('read'); e.stack; Promise.reject(e)`, 'object RangeError RangeError: read'],
      [`Promise.reject(Object.assign(new Error('a\\nb'), { name: 'Own' }))`, 'object Own Own: a\nb'],
      [`Promise.reject({ a: 1 })`, 'object Error Error: A promise was rejected with an object that is not an Error'],
    ] as const;
    for (const [code, expected] of cases) {
      const { logs } = await serve(`${code}; return new Response('ok')`, listen);
      assert.equal(logs[0]?.message, expected, code);
    }
  });

  it('a rejection that is handled before the turn ends is nobody else\u2019s business', async () => {
    const { exceptions, logs } = await serve(
      `const late = Promise.reject(new Error('late')); await null; await null; late.catch(() => {});
       await Promise.allSettled([Promise.reject(1)]); return new Response('ok')`,
      `addEventListener('unhandledrejection', () => console.log('told'))`,
    );
    assert.deepEqual([exceptions, logs], [[], []]);
  });

  it('a listener that rejects again does not go round for ever', async () => {
    const { exceptions, text } = await serve(
      REJECT,
      `addEventListener('unhandledrejection', async () => { throw new Error('again') })`,
    );
    assert.equal(text, 'ok');
    assert.equal(exceptions[0]?.message, 'lost');
  });

  it('stacks and call sites leave out the frames of the runtime', async () => {
    const { text } = await serve(
      `const fail = () => { try { new Headers([[1]]) } catch (error) { return error.stack } };
       const stack = fail(); Error.prepareStackTrace = (error, sites) => sites.map((site) => site.getFileName());
       return Response.json([stack, fail()])`,
    );
    const [stack, files] = JSON.parse(text) as [string, string[]];
    assert.match(stack, /^TypeError: .*\n {4}at fail \(/);
    assert.doesNotMatch(`${stack} ${files.join(' ')}`, /isola:/);
    assert.ok(files.length > 0);
  });

  it('a Worker\u2019s own Error.prepareStackTrace is honoured', async () => {
    const { text, exceptions } = await serve(
      `const before = Error.prepareStackTrace; Error.prepareStackTrace = (error, sites) => sites.length;
       const count = typeof new Error('x').stack; Error.prepareStackTrace = before;
       Promise.reject(new Error('later')); return new Response(count + typeof before + new Error('y').stack.slice(0, 16))`,
    );
    assert.equal(text, 'numberfunctionError: y\n    at ');
    assert.equal(exceptions[0]?.message, 'later');
  });

  it('error listeners hear of what reportError, listeners and timers throw', async () => {
    const listen = `addEventListener('error', (event) => {
      console.log(event.message, event.filename, event.lineno > 0, event.colno > 0, event.error?.message);
      event.preventDefault();
    })`;
    const { logs, exceptions } = await serve(
      `reportError(new TypeError('one')); reportError(2);
       const target = new EventTarget(); target.addEventListener('x', () => { throw new Error('three') });
       target.dispatchEvent(new Event('x'));
       await new Promise((resolve) => setTimeout(() => { setTimeout(resolve, 1); throw new Error('four') }, 1));
       return new Response('ok')`,
      listen,
    );
    assert.deepEqual(
      logs.map(({ message }) => message),
      [
        'Uncaught TypeError: one index.js true true one',
        'Uncaught 2  false false undefined',
        'Uncaught Error: three index.js true true three',
        'Uncaught Error: four index.js true true four',
      ],
    );
    assert.deepEqual(exceptions, []);
    const again = await serve(
      `reportError(new Error('first')); return new Response('ok')`,
      `
      onerror = (message, file, line, column, error) => { console.log(message, typeof line, error.message); throw new Error('second') }`,
    );
    assert.deepEqual(
      again.exceptions.map(({ message }) => message),
      ['second', 'first'],
    );
    assert.equal(again.logs[0]?.message, 'Uncaught Error: first number first');
  });
});
