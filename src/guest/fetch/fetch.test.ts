import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runInThisContext } from 'node:vm';
import { createGuest, type TestGuest } from '../testing/guest.ts';

/** What each piece of code returns has to be the same here and in Node's own implementation of the standard. */
const SAME_AS_NODE: Record<string, string[]> = {
  Headers: [
    `return [...new Headers([['b', '1'], ['A', ' 2\\t'], ['b', '3']])].join('|')`,
    `return [...new Headers({ B: '1', a: '2' }).keys()].join('|')`,
    `return [...new Headers(new Headers({ x: 'y' })).values()].join('|')`,
    `const h = new Headers(); h.append('set-cookie', 'a=1'); h.append('Set-Cookie', 'b=2'); return h.getSetCookie().join('|') + [...h] + h.get('set-cookie')`,
    `const h = new Headers({ a: '1', b: '2' }); h.append('A', '2'); h.set('b', '3'); h.delete('x'); return h.get('a') + h.get('B') + h.get('c') + h.has('a') + h.has('z')`,
    `const h = new Headers([['a', '1'], ['a', '2'], ['b', '0'], ['a', '3']]); h.set('a', '9'); return String([...h])`,
    `const h = new Headers({ a: '1', b: '2', c: '3' }); const seen = []; for (const [k] of h) { seen.push(k); h.delete(k) } return seen.join()`,
    `const out = []; new Headers({ a: '1' }).forEach(function (v, k, h) { out.push(v, k, h instanceof Headers, this.x) }, { x: 1 }); return out.join()`,
    `return Object.prototype.toString.call(new Headers()) + Object.prototype.toString.call(new Headers().entries()) + Headers.name + Headers.length`,
    `return Object.keys(Headers.prototype).filter((key) => key !== 'getAll').sort().join()`,
    'new Headers(1)',
    'new Headers(null)',
    'new Headers([[1]])',
    'new Headers([1])',
    'new Headers({ "a b": "1" })',
    'new Headers({ "": "1" })',
    'new Headers({ a: "\\n1\\n2" })',
    'new Headers({ a: "\\u0100" })',
    'new Headers().get("a:b")',
    'new Headers().append("a")',
    'Headers()',
    'new Headers().set("a", "\\0")',
    'Headers.prototype.get.call({}, "a")',
    'new Headers().forEach(1)',
    'new Headers({ a: Symbol() })',
    'new Headers([["a", "1", "2"]])',
  ],
  'Request settings': [
    `const r = new Request('http://a/', { mode: 'no-cors', cache: 'no-store', credentials: 'omit', integrity: 'x', keepalive: true, referrer: 'http://b/c#d', referrerPolicy: 'origin' }); const c = new Request(r.clone()); return [c.mode, c.cache, c.credentials, c.integrity, c.keepalive, c.referrer, c.referrerPolicy].join()`,
    `const r = new Request('http://a/'); return [r.mode, r.cache, r.credentials, r.integrity, r.keepalive, r.referrer, r.referrerPolicy, r.isReloadNavigation, r.isHistoryNavigation, r.duplex].join()`,
    `return new Request('http://a/', { referrer: '' }).referrer`,
    'new Request("http://a/", { mode: "navigate" })',
    'new Request("http://a/", { cache: "only-if-cached" })',
    'new Request("http://a/", { credentials: "none" })',
    'new Request("http://a/", { referrer: "//" })',
    'new Request("http://a/", { referrerPolicy: "no" })',
    'new Request("http://a/", { window: 1 })',
    'new Request("http://a/", { mode: "no-cors", method: "PUT" })',
    'new Request("http://a/", { duplex: "full" })',
  ],
  'local URLs': [
    `const r = await fetch('data:text/html;charset=x,a%20b#c'); return [r.status, r.type, r.headers.get('content-type'), await r.text()].join()`,
    `const r = await fetch('data:;base64,YQ=='); return [r.headers.get('content-type'), await r.text()].join()`,
    `const url = URL.createObjectURL(new Blob(['abc'], { type: 'x/y' })); const r = await fetch(url); return [r.headers.get('content-type'), r.headers.get('content-length'), await r.text(), url.startsWith('blob:')].join()`,
    `const url = URL.createObjectURL(new Blob(['abc'])); URL.revokeObjectURL(url); await fetch(url)`,
    `await fetch('data:;base64,*')`,
    `await fetch('about:blank')`,
    'URL.createObjectURL("x")',
    'URL.createObjectURL()',
  ],
  Response: [
    `const chunk = new Uint8Array([97]); const r = new Response(new ReadableStream({ start(c) { c.enqueue(chunk); c.close() } })); const copy = r.clone(); const [a, b] = await Promise.all([r, copy].map(async ({ body }) => (await body.getReader().read()).value)); return [a === chunk, b === chunk, String(b)].join()`,
    `let synchronous = false; let c; new ReadableStream({ start(x) { c = x } }, { highWaterMark: 0 }).pipeTo(new WritableStream({ write() { synchronous = true } })); await null; c.enqueue(1); return synchronous`,
    `const r = new Response('x'); return [r.status, r.ok, r.statusText, r.type, r.url, r.redirected, r.bodyUsed, r.headers.get('content-type')].join()`,
    `const r = new Response(); return [r.body, r.headers.get('content-type'), await r.text(), r.bodyUsed].join()`,
    `const r = new Response('x', { status: 404, statusText: 'No', headers: { 'Content-Type': 'text/html' } }); return [r.status, r.ok, r.statusText, r.headers.get('content-type')].join()`,
    `const r = Response.json({ a: [1] }, { status: 201 }); return [r.status, r.headers.get('content-type'), JSON.stringify(await r.json())].join()`,
    `const r = Response.redirect('http://a.example/x y', 301); return [r.status, r.headers.get('location'), r.type].join()`,
    `const r = Response.error(); return [r.status, r.type, r.ok].join()`,
    `const r = new Response('text'); const c = r.clone(); return [await r.text(), await c.text(), r.bodyUsed, c.bodyUsed].join()`,
    `const r = new Response(new Uint8Array([104, 105])); const c = r.clone(); const b = await r.bytes(); b[0] = 0; return [await c.text(), b.length].join()`,
    `const source = new Uint8Array([104, 105]); const r = new Response(source); source[0] = 0; return r.text()`,
    `return new Response(new DataView(new Uint8Array([1, 104, 105, 2]).buffer, 1, 2)).text()`,
    `const r = new Response(new URLSearchParams({ a: 'b c' })); return r.headers.get('content-type') + await r.text()`,
    `const r = new Response(new Blob(['x'], { type: 'a/b' })); return r.headers.get('content-type') + await r.text()`,
    `const b = await new Response('x', { headers: { 'content-type': 'Text/HTML; Charset="utf-8"' } }).blob(); return b.type + b.size + await b.text()`,
    `const f = new FormData(); f.append('a', 'b'); f.append('f', new File(['x'], 'n.txt', { type: 'text/plain' })); const g = await new Response(f).formData(); return [g.get('a'), g.get('f').name, await g.get('f').text()].join()`,
    `const f = await new Response('a=1&b=%20', { headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' } }).formData(); return String([...f])`,
    `return new Response('\\ufeffabc').text()`,
    `return JSON.stringify(await new Response('a\\ud800b').text())`,
    `return JSON.stringify([...await new Response('\\u00e9\\u20ac\\u{1f600}').bytes()])`,
    `const chunks = []; for await (const c of new Response('abc').body) chunks.push(c.constructor.name + c.length); return chunks.join()`,
    `const r = new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('a')); c.enqueue(new TextEncoder().encode('b')); c.close() } })); return r.text()`,
    `const r = new Response('x'); const reader = r.body.getReader(); const before = r.bodyUsed; await reader.read(); return [before, r.bodyUsed].join()`,
    `const r = new Response('x'); r.body; r.body.getReader(); return r.text().catch((e) => e.name)`,
    `const r = new Response('x'); await r.text(); return r.text().catch((e) => e.name)`,
    `const r = new Response('x'); await r.text(); return [r.body.locked, r.bodyUsed].join()`,
    `const r = new Response('x'); return r.body === r.body`,
    `const r = new Response(new ReadableStream({ pull(c) { c.error(new RangeError('bad')) } })); return r.text().catch((e) => e.name)`,
    `const r = new Response(new ReadableStream({ start(c) { c.enqueue('text') } })); return r.text().catch((e) => e.name)`,
    `const [a, b] = new Response('abc').body.tee(); return await new Response(a).text() + await new Response(b).text()`,
    `return (await new Response('x').arrayBuffer()) instanceof ArrayBuffer`,
    `return new Response('{').json().catch((e) => e.name)`,
    `return Response.prototype.text.call({}).catch((e) => e.name)`,
    `return Object.prototype.toString.call(new Response()) + Response.name + Response.length + Object.keys(Response).sort()`,
    `return Object.keys(Response.prototype).filter((key) => !['cf', 'textStream', 'webSocket'].includes(key)).sort().join()`,
    'new Response("x", { status: 199 })',
    'new Response("x", { status: 600 })',
    'new Response("x", { status: 204 })',
    'new Response("x", { statusText: "\\n" })',
    'Response.redirect("http://a.example", 200)',
    'Response.redirect("bad")',
    'Response.json()',
    'new Response("x", { headers: { "a b": "c" } })',
    'Response()',
    'Response.error().headers.set("a", "b")',
    'const r = new Response("x"); r.text(); r.clone()',
    'new Response(Symbol())',
    'new Response("x", 1)',
  ],
  Request: [
    `const r = new Request('http://A.example/a b?c#d'); return [r.url, r.method, r.redirect, r.bodyUsed, r.body, r.signal.aborted].join()`,
    `const r = new Request('http://a.example', { method: 'post', body: 'x', headers: { A: 'b' } }); return [r.method, r.headers.get('content-type'), r.headers.get('a'), await r.text()].join()`,
    `const a = new Request('http://a.example', { method: 'PUT', body: 'x', headers: { a: 'b' }, redirect: 'manual' }); const b = new Request(a); return [b.method, b.redirect, b.headers.get('a'), a.bodyUsed, await b.text()].join()`,
    `const a = new Request('http://a.example', { method: 'POST', body: 'x' }); const b = a.clone(); return [await a.text(), await b.text()].join()`,
    `const a = new Request('http://a.example', { method: 'POST', body: 'x' }); const b = new Request(a, { method: 'PUT', body: 'y' }); return [a.bodyUsed, b.method, await b.text()].join()`,
    `const c = new AbortController(); const a = new Request('http://a.example', { signal: c.signal }); const b = a.clone(); c.abort(); return [a.signal.aborted, b.signal.aborted, a.signal === c.signal].join()`,
    `return new Request(new URL('http://a.example/x')).url`,
    `return ['patch', 'get', 'Delete', 'custom'].map((method) => new Request('http://a.example', { method }).method).join()`,
    `return Object.prototype.toString.call(new Request('http://a.example')) + Request.name + Request.length`,
    `const a = new Request('http://a.example', { method: 'POST', body: new ReadableStream({ start(c) { c.enqueue(new Uint8Array([65])); c.close() } }), duplex: 'half' }); return [a.headers.get('content-type'), await new Request(a).text()].join()`,
    'new Request("bad")',
    'new Request()',
    'new Request("http://a.example", { body: "x" })',
    'new Request("http://a.example", { method: "CONNECT" })',
    'new Request("http://a.example", { method: "a b" })',
    'new Request("http://a.example", { redirect: "no" })',
    'new Request("http://a.example", { signal: {} })',
    'new Request("http://u:p@a.example")',
    'Request("http://a.example")',
    'const r = new Request("http://a.example", { method: "POST", body: "x" }); r.text(); new Request(r)',
    'new Request("http://a.example", 1)',
  ],
};

const BOUNDARY = /-{4,}[A-Za-z0-9]+/g;

describe('fetch classes behave as the Fetch standard (compared with Node)', () => {
  let guest: TestGuest;
  before(async () => {
    const cases = Object.values(SAME_AS_NODE).flat().map(toFunction);
    guest = await createGuest(`const cases = [${cases.join(',\n')}];
      export default { async fetch(request) { return new Response(await cases[new URL(request.url).searchParams.get('case')]()) } }`);
  });
  after(() => {
    guest.dispose();
  });

  let index = 0;
  for (const [name, cases] of Object.entries(SAME_AS_NODE)) {
    describe(name, () => {
      for (const code of cases) {
        const id = index++;
        it(code, async () => {
          const expected = await (runInThisContext(toFunction(code)) as () => Promise<string>)();
          const actual = String(guest.fetch(`http://a.example/?case=${id}`).at(-1)?.[4]);
          assert.equal(actual.replace(BOUNDARY, ''), expected.replace(BOUNDARY, ''));
        });
      }
    });
  }
});

it('reads bodies past a "then" that a Worker has put on every object', async () => {
  const guest = await createGuest(`export default { async fetch() {
    const body = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.close(); } });
    Object.prototype.then = () => {};
    const text = new Response(body).text();
    delete Object.prototype.then;
    return new Response(await text);
  } }`);
  try {
    assert.equal(guest.fetch('http://a.example/').at(-1)?.[4], 'a');
  } finally {
    guest.dispose();
  }
});

/** An expression is expected to throw: its result is the name of the exception. */
function toFunction(code: string): string {
  if (code.includes('return ')) return `(async () => String(await (async () => { ${code} })()))`;
  return `(async () => { try { ${code}; return 'no exception' } catch (error) { return error.name } })`;
}
