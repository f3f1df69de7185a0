/**
 * What Workers do all day, each `count` times. Plain JavaScript: the same text runs in an isolate and in Node. Results
 * are kept in `sink`, so that no compiler can leave the work out.
 */
export let sink;
const KILOBYTE = 'abcdefghijklmnop'.repeat(64);
const MIXED = 'a\u00e9\u20ac\u{1d11e}xyz '.repeat(64);
const BYTES = new TextEncoder().encode(KILOBYTE);
const MIXED_BYTES = new TextEncoder().encode(MIXED);
const TARGET = new Uint8Array(2048);
const LONG_URL = `http://example.org/${'segment/'.repeat(20)}?${'key=value&'.repeat(20)}`;
const HEADER_OBJECT = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x-header-${i}`, `value ${i}`]));
const HEADER_ARRAY = Object.entries(HEADER_OBJECT);
const HEADERS = new Headers(HEADER_OBJECT);
const QUERY = 'a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=10';
const SMALL = { id: 1, name: 'worker', tags: ['a', 'b'], nested: { ok: true } };
const url = new URL('http://example.org/a/b?c=d');

const each = (work) => (count) => {
  for (let i = 0; i < count; i++) sink = work(i);
};
const eachAsync = (work) => async (count) => {
  for (let i = 0; i < count; i++) sink = await work(i);
};

function chunks(options) {
  let left = 1000;
  return new ReadableStream(
    {
      ...options,
      pull(controller) {
        if (left-- === 0) {
          controller.close();
          controller.byobRequest?.respond(0);
        } else controller.enqueue(new Uint8Array(16));
      },
    },
    { highWaterMark: 0 },
  );
}

async function drain(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    sink = value;
  }
}

function multipart() {
  const form = new FormData();
  form.append('text', 'value');
  form.append('file', new Blob(['content']), 'a.txt');
  return new Response(form);
}

/** Names to the work and how many times one round does it. */
export const operations = {
  'new URL, ordinary': [20_000, each(() => new URL('http://example.org/path/to?x=1').pathname)],
  'new URL, 20 segments and parameters': [5_000, each(() => new URL(LONG_URL).href)],
  'new URL, path on a base': [10_000, each(() => new URL('/x?y', 'http://example.org/a/b').href)],
  'new URL, ../ on a base': [10_000, each(() => new URL('../x', 'http://example.org/a/b/c').href)],
  'new URL, dot segments': [10_000, each(() => new URL('http://example.org/a/./b/../c/%2e/d').href)],
  'new URL, international host': [2_000, each(() => new URL('http://b\u00fccher.example/').href)],
  'url.pathname =': [20_000, each((i) => ((url.pathname = i % 2 ? '/a/b' : '/c/../d'), url.href))],
  'url.search =': [20_000, each((i) => ((url.search = i % 2 ? '?a=b' : '?c=d'), url.href))],
  'url.host =': [20_000, each((i) => ((url.host = i % 2 ? 'a.example' : 'b.example:81'), url.href))],
  'searchParams.get by a URL': [5_000, each(() => new URL('http://example.org/?a=1&b=2').searchParams.get('b'))],
  'URLSearchParams, parse 10': [5_000, each(() => new URLSearchParams(QUERY))],
  'URLSearchParams, 10 to string': [5_000, each(() => new URLSearchParams(HEADER_ARRAY).toString())],
  'new Headers, object of 10': [5_000, each(() => new Headers(HEADER_OBJECT))],
  'new Headers, array of 10': [5_000, each(() => new Headers(HEADER_ARRAY))],
  'new Headers, copy': [5_000, each(() => new Headers(HEADERS))],
  'headers.get': [50_000, each(() => HEADERS.get('X-Header-5'))],
  'headers, iterate 10': [10_000, each(() => [...HEADERS].length)],
  'new Request': [10_000, each(() => new Request('http://example.org/'))],
  'new Request, POST with 10 headers and 1 KB': [
    3_000,
    each(() => new Request('http://example.org/', { method: 'POST', headers: HEADER_OBJECT, body: KILOBYTE })),
  ],
  'new Response, string': [10_000, each(() => new Response('hello'))],
  'new Response, string and headers': [
    10_000,
    each(() => new Response('hello', { status: 201, headers: { 'content-type': 'text/plain' } })),
  ],
  'Response.json': [10_000, each(() => Response.json(SMALL))],
  'response.text, 1 KB': [5_000, eachAsync(() => new Response(KILOBYTE).text())],
  'response.clone and text': [3_000, eachAsync(() => new Response(KILOBYTE).clone().text())],
  'response.body, one chunk': [2_000, eachAsync(() => new Response(BYTES).body.getReader().read())],
  'encode 1 KB': [5_000, each(() => new TextEncoder().encode(KILOBYTE))],
  'decode 1 KB': [5_000, each(() => new TextDecoder().decode(BYTES))],
  'encode 1 KB, mixed': [5_000, each(() => new TextEncoder().encode(MIXED))],
  'decode 1 KB, mixed': [5_000, each(() => new TextDecoder().decode(MIXED_BYTES))],
  'encodeInto 1 KB': [5_000, each(() => new TextEncoder().encodeInto(KILOBYTE, TARGET))],
  'btoa and atob 1 KB': [3_000, each(() => atob(btoa(KILOBYTE)))],
  'stream of 1,000 chunks': [10, eachAsync(() => drain(chunks({})))],
  'byte stream of 1,000 chunks': [10, eachAsync(() => drain(chunks({ type: 'bytes' })))],
  'for await over 1,000 chunks': [
    10,
    eachAsync(async () => {
      for await (const chunk of chunks({})) sink = chunk;
    }),
  ],
  'pipeThrough, 1,000 chunks': [5, eachAsync(() => drain(chunks({}).pipeThrough(new TransformStream())))],
  'tee, 1,000 chunks': [
    5,
    eachAsync(() => {
      const [a, b] = chunks({}).tee();
      return Promise.all([drain(a), drain(b)]);
    }),
  ],
  'structuredClone, small': [5_000, each(() => structuredClone(SMALL))],
  dispatchEvent: [
    20_000,
    (count) => {
      const target = new EventTarget();
      target.addEventListener('x', (event) => (sink = event));
      for (let i = 0; i < count; i++) target.dispatchEvent(new Event('x'));
    },
  ],
  AbortController: [10_000, each(() => new AbortController().abort())],
  'crypto.randomUUID': [10_000, each(() => crypto.randomUUID())],
  'form, multipart and back': [500, eachAsync(() => multipart().formData())],
};
