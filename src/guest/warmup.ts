/**
 * A script for `createSnapshot`: V8 runs it in a context of its own, which it throws away, and keeps the code that it
 * compiled on the way. So it walks the usual paths once: boot, a few events, a body each way.
 */
const WORKER = `
const request = 'POST\\nhttp://warm.example/path?q=1\\nHost\\nwarm.example\\nAccept\\n*/*\\nCookie\\na=b';
const bytes = new TextEncoder().encode('{"a":1}').buffer;
const worker = {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    if (url.searchParams.get('q') === '0') throw new Error('warm');
    request.headers.get('accept');
    console.log('warm', url.pathname, 1);
    ctx.waitUntil(Promise.resolve(new Date().getTime() + Date.now()));
    if (request.method === 'POST') return Response.json(await request.json(), { headers: { 'x-warm': '1' } });
    await new Promise((resolve) => setTimeout(resolve, 1));
    const response = await fetch('http://warm.example/', { method: 'PUT', body: 'warm' });
    await response.text();
    return new Response('warm', { status: 201, headers: new Headers({ 'content-type': 'text/plain' }) });
  },
  async scheduled() {},
};
const simple = { fetch() { return new Response('warm'); } };
const calls = [];
const host = (op, id) => { calls.push([op, id]); };
const guest = __isola.boot(host, host, (op, count) => new ArrayBuffer(count), JSON.stringify({ now: 1, maxTimers: 10, maxPendingHostCalls: 10, maxWasmInstances: 1, memoryMiB: 8 }));
const options = JSON.stringify({ bindings: [{ type: 'plain_text', name: 'A', text: 'a' }, { type: 'service', name: 'B' }], compatibilityDate: '2026-01-01', compatibilityFlags: [], subrequests: 10 });
guest.configure(options);
guest.attach({ default: worker });
guest.enter(1, 1, request, bytes, 0, 1, false);
guest.enter(1, 2, request.replace('POST', 'GET'), undefined, 0, 1, false);
guest.enter(1, 3, request.replace('q=1', 'q=0'), undefined, 0, 1, false);
guest.enter(1, 5, request, undefined, 7, 1, false);
guest.enter(4, 7, bytes, 1, undefined, 1, false);
guest.enter(2, 4, '* * * * *', 1, undefined, 1, false);
Promise.resolve().then(() => {}).then(() => {
  for (const [op, id] of calls.splice(0)) {
    if (op === 9) guest.enter(5, id, undefined, undefined, undefined, 2, false);
    if (op === 7) guest.enter(3, id, 1, '200\\nOK\\nhttp://warm.example/\\n0\\na\\nb', bytes, 2, false);
  }
});
guest.attach({ default: simple });
guest.enter(1, 6, request, undefined, 0, 1, false);
guest.describe(new Error('warm'));
`;

export const WARMUP = `(() => {${WORKER}})();`;
