/** What a Worker does wrong, on purpose or not, ends with it: its neighbours, its cell and its own next request go on. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type DeployOptions, type InvocationRecord, type Runtime } from '../index.ts';
import { MAX_LOG_BYTES, MAX_SERVICE_CALLS } from '../limits.ts';

const MAX_LOG_LINES = MAX_LOG_BYTES / 64; // an empty line is charged with 64 bytes
const CALLS_TO_BE_INLINE = 3; // after so many short entries a Worker runs on the cell's own thread
// Before the fixes several of these never ended.
const TIMEOUT_MS = 30_000;

function worker(body: string): Pick<DeployOptions, 'modules'> {
  return { modules: { 'index.js': `export default { async fetch(request, env, ctx) { ${body} } }` } };
}

describe('Runtime contains', { timeout: TIMEOUT_MS }, () => {
  let runtime: Runtime;
  let upstream: Upstream;
  const records: InvocationRecord[] = [];
  const recorded = new EventEmitter();
  const get = (name: string, path = '/') => runtime.fetch(name, new Request(`http://${name}${path}`));
  const read = async (name: string, path?: string) => (await get(name, path)).text();
  /** The record of the only request for this path. It is made when the invocation ends, after the response. */
  const recordOf = async (name: string, path = '/'): Promise<InvocationRecord> => {
    for (;;) {
      const made = records.find((record) => record.url === `http://${name}${path}`);
      if (made !== undefined) return made;
      await once(recorded, name);
    }
  };
  const makeInline = async (name: string) => {
    for (let call = 0; call < CALLS_TO_BE_INLINE; call++) await read(name, '/warm');
  };
  /** Names in the order in which their requests are answered. */
  const raceOf = async (requests: Readonly<Record<string, Promise<Response>>>): Promise<string[]> => {
    const order: string[] = [];
    const finish = async ([name, response]: [string, Promise<Response>]) => {
      await (await response).text();
      order.push(name);
    };
    await Promise.all(Object.entries(requests).map(finish));
    return order;
  };

  before(async () => {
    upstream = await startUpstream();
    runtime = await createRuntime({
      allowPrivateEgress: true,
      onRecord: (record) => {
        records.push(record);
        recorded.emit(record.worker, record);
      },
    });
    await runtime.deploy('neighbour', worker('return new Response("here")'));
    await makeInline('neighbour');
  });
  after(async () => {
    await runtime.close();
    upstream.close();
  });

  for (const place of ['inline', 'pool'] as const) {
    it(`empty log lines: the record keeps ${MAX_LOG_LINES} (${place})`, async () => {
      const name = `chatty-${place}`;
      await runtime.deploy(
        name,
        worker(`
          if (request.url.endsWith("/log")) for (let i = 0; i < ${MAX_LOG_LINES + 100}; i++) console.log("");
          return new Response("logged")`),
      );
      if (place === 'inline') await makeInline(name);
      const answers = await Promise.all([read(name, '/log'), read('neighbour')]);
      assert.deepEqual(answers, ['logged', 'here']);
      const record = await recordOf(name, '/log');
      assert.equal(record.outcome, 'ok');
      assert.equal(record.truncated, true);
      assert.equal(record.logs.length, MAX_LOG_LINES);
    });
  }

  it('timers nobody awaits: they go with their invocation, and count for no later one', async () => {
    await runtime.deploy(
      'forgetful',
      worker(`
        if (request.url.endsWith("/timer")) await new Promise((resolve) => setTimeout(resolve, 5));
        else for (let i = 0; i < 100; i++) setTimeout(() => {}, 1e8);
        return new Response("done")`),
    );
    // More than MAX_TIMERS together.
    for (let request = 0; request < 12; request++) assert.equal(await read('forgetful'), 'done');
    assert.equal(await read('forgetful', '/timer'), 'done');
  });

  it('a download that is cancelled: the upstream sees it closed while the Worker goes on', async () => {
    await runtime.deploy(
      'cancels',
      worker(`
        const response = await fetch("${upstream.origin}/endless/cancels");
        await response.body.cancel();
        return fetch("${upstream.origin}/closed/cancels")`),
    );
    assert.equal(await read('cancels'), 'closed');
  });

  it('a download that is never read: the upstream sees it closed when the invocation ends', async () => {
    await runtime.deploy(
      'ignores',
      worker(`return new Response((await fetch("${upstream.origin}/endless/ignores")).status)`),
    );
    assert.equal(await read('ignores'), '200');
    await upstream.closed('ignores');
  });

  for (const [when, source] of [
    ['at once', 'start(controller) { controller.error(new Error("torn")) }'],
    [
      'halfway',
      'async pull(controller) { if (this.sent) throw new Error("torn"); this.sent = true; controller.enqueue(new Uint8Array(1000)) }',
    ],
  ] as const) {
    it(`an upload that fails ${when}: its fetch rejects`, async () => {
      const name = `torn-${when.replace(' ', '-')}`;
      await runtime.deploy(
        name,
        worker(`
          const body = new ReadableStream({ ${source} });
          const answer = fetch("${upstream.origin}/upload", { method: "POST", body, duplex: "half" });
          return new Response(await answer.then(() => "answered", (error) => \`rejected: \${error.message}\`))`),
      );
      assert.match(await read(name), /^rejected: ./);
    });
  }

  it('a request that waits for nothing: it ends once the one beside it has', async () => {
    await runtime.deploy(
      'stalls',
      worker(`
        if (request.url.endsWith("/never")) await new Promise(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
        return new Response("slow")`),
    );
    const [slow, never] = await Promise.all([get('stalls', '/slow'), get('stalls', '/never')]);
    assert.equal(await slow.text(), 'slow');
    assert.equal(never.status, 500);
    assert.match((await recordOf('stalls', '/never')).exceptions[0]?.message ?? '', /hung/);
  });

  it('a response body that nothing will ever fill: it breaks off', async () => {
    await runtime.deploy('bodiless', worker('return new Response(new ReadableStream({}))'));
    const response = await get('bodiless');
    assert.equal(response.status, 200);
    await assert.rejects(response.text(), /the Worker ended: exception/);
    assert.equal((await recordOf('bodiless')).outcome, 'exception');
  });

  it('calls through service bindings that branch: the ones past the limit of the whole request are refused', async () => {
    await runtime.deploy('tree', {
      ...worker(`
        const branch = () => env.SELF.fetch(request.url).then(
          async (response) => { const { calls, refused } = await response.json(); return [calls + 1, refused] },
          (error) => { if (!error.message.startsWith("Too many calls")) throw error; return [0, 1] },
        );
        const [left, right] = await Promise.all([branch(), branch()]);
        return Response.json({ calls: left[0] + right[0], refused: left[1] + right[1] })`),
      bindings: [{ type: 'service', name: 'SELF', service: 'tree' as never }],
    });
    const tree = get('tree');
    const order = await raceOf({ tree: tree.then((response) => response.clone()), neighbour: get('neighbour') });
    assert.deepEqual(order, ['neighbour', 'tree']);
    assert.deepEqual(await (await tree).json(), { calls: MAX_SERVICE_CALLS, refused: MAX_SERVICE_CALLS + 2 });
  });

  it('a Worker that may spin longer than usual: it keeps no neighbour waiting', async () => {
    await runtime.deploy('spins', {
      ...worker(`
        let sum = 0;
        if (request.url.endsWith("/spin")) for (let i = 0; i < 2e8; i++) sum += i % 7;
        return new Response(sum)`),
      limits: { cpuMs: 3_000 },
    });
    await makeInline('spins');
    const order = await raceOf({ spins: get('spins', '/spin'), neighbour: get('neighbour') });
    assert.deepEqual(order, ['neighbour', 'spins']);
    assert.equal((await recordOf('spins', '/spin')).outcome, 'ok');
  });

  it('an entry that runs out of memory: it is billed', async () => {
    await runtime.deploy('greedy', {
      ...worker('const kept = []; for (;;) kept.push(new Array(1000).fill({}))'),
      limits: { memoryMiB: 32, cpuMs: 5_000 },
    });
    assert.equal((await get('greedy')).status, 503);
    const { outcome, cpuUs } = await recordOf('greedy');
    assert.equal(outcome, 'exceededMemory');
    assert.ok(cpuUs > 0, `${cpuUs} µs`);
    assert.equal(await read('neighbour'), 'here');
  });

  it('a domain name to convert while modules start: it is like any other', async () => {
    await runtime.deploy('idn', {
      modules: {
        'index.js':
          'const { hostname } = new URL("http://münchen.de"); export default { fetch: () => new Response(hostname) }',
      },
    });
    assert.equal(await read('idn'), 'xn--mnchen-3ya.de');
  });

  it('work promised to waitUntil that never settles: close() does not wait for it', async () => {
    const other = await createRuntime();
    await other.deploy('promises', worker('ctx.waitUntil(new Promise(() => {})); return new Response("answered")'));
    const response = await other.fetch('promises', new Request('http://promises/'));
    assert.equal(await response.text(), 'answered');
    await other.close();
  });
});

interface Upstream {
  readonly origin: string;
  /** Resolves when the response to `/endless/<name>` has been closed. */
  closed(name: string): Promise<unknown>;
  close(): void;
}

/** `/endless/<name>` goes on for ever, `/closed/<name>` answers when that is closed, `/upload` when it has all. */
async function startUpstream(): Promise<Upstream> {
  const endless = new Map<string, Promise<unknown>>();
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const [, action = '', name = ''] = request.url?.split('/') ?? [];
    if (action === 'endless') {
      endless.set(name, once(response, 'close'));
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
      return;
    }
    if (action === 'closed') await endless.get(name);
    else for await (const _ of request);
    response.end('closed');
  };
  const server = createServer((request, response) => {
    // An upload that breaks off ends here.
    answer(request, response).catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    closed: async (name) => endless.get(name),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
