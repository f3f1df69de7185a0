import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { awaitUsage, readUsage } from '../helpers/usage.ts';

const WAIT_MS = 500;

describe('Usage', () => {
  let platform: TestPlatform;
  let slow: Server;
  let slowUrl: string;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--allow-private-egress']);
    slow = createServer((_, response) => setTimeout(() => response.end('done'), WAIT_MS)).listen(0, '127.0.0.1');
    await once(slow, 'listening');
    slowUrl = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
  });
  after(async () => {
    slow.close();
    await platform.stop();
  });

  it('has each request once, with its bytes, its outcome and its subrequests', async () => {
    await deployCode(
      platform,
      'echo',
      `export default { async fetch(request) {
        const text = await request.text();
        if (text === 'throw') throw new Error('asked for');
        return new Response(text + text);
      } }`,
    );
    const send = (body: string) => platform.request('echo', '/', { method: 'POST', body });
    await Promise.all(Array.from({ length: 20 }, () => send('0123456789')));
    assert.equal((await send('throw')).status, 500);
    const usage = await awaitUsage(platform, 'echo', ({ requests }) => requests >= 21);
    assert.deepEqual([usage.requests, usage.errors, usage.outcomes], [21, 1, { ok: 20, exception: 1 }]);
    assert.equal(usage.bytes_in, 205);
    assert.ok(usage.bytes_out >= 400, `${usage.bytes_out} bytes out`);
    assert.equal(usage.cold_starts, 0); // a deploy makes an instance ahead of need
    assert.ok(usage.start_cpu_us > 0 && usage.cpu_us > 0 && usage.wall_us > usage.cpu_us);
  });

  it('bills no waiting: 500 ms for a subrequest and some computing are the computing', async (context) => {
    const code = (answer: string): string => `export default { async fetch() {
      const answer = await ${answer};
      let x = 0;
      for (let i = 0; i < 300_000; i++) x += Math.sqrt(i);
      return new Response(await answer.text() + x);
    } }`;
    await deployCode(platform, 'waiting', code(`fetch(${JSON.stringify(slowUrl)})`));
    await deployCode(platform, 'busy', code('new Response("at once")'));
    /** Per request, without the first one. */
    const measure = async (worker: string): Promise<{ cpuMs: number; wallMs: number; subrequests: number }> => {
      await platform.request(worker, '/');
      const first = await awaitUsage(platform, worker, ({ requests }) => requests === 1);
      await Promise.all(Array.from({ length: 10 }, () => platform.request(worker, '/')));
      const usage = await awaitUsage(platform, worker, ({ requests }) => requests === 11);
      const [cpuMs, wallMs] = [usage.cpu_us - first.cpu_us, usage.wall_us - first.wall_us].map((us) => us / 10_000);
      return { cpuMs: cpuMs ?? NaN, wallMs: wallMs ?? NaN, subrequests: usage.subrequests };
    };
    const { cpuMs: busyMs } = await measure('busy');
    const { cpuMs, wallMs, subrequests } = await measure('waiting');
    context.diagnostic(
      `waited ${WAIT_MS} ms: billed ${cpuMs.toFixed(2)} ms of CPU, ${busyMs.toFixed(2)} ms without waiting`,
    );
    assert.ok(wallMs >= WAIT_MS - 1, `${wallMs} ms of wall time`);
    // A busy machine makes the same work cost more or less; half a second it does not cost.
    assert.ok(cpuMs > 0 && cpuMs < 3 * busyMs + 1, `${cpuMs} ms of CPU time, ${busyMs} without waiting`);
    assert.equal(subrequests, 11);
  });

  it('charges a callee of a service binding to its Worker, in the chain of its ray, as no request', async () => {
    await deployCode(platform, 'callee', `export default { fetch: () => new Response('from the callee') }`);
    const bindings = [{ type: 'service', name: 'CALLEE', service: 'callee' }];
    await deployCode(
      platform,
      'caller',
      `export default { fetch: (request, env) => env.CALLEE.fetch(request) }`,
      bindings,
    );
    for (let count = 0; count < 5; count++) {
      // oxlint-disable-next-line no-await-in-loop
      assert.equal((await platform.request('caller', '/')).text, 'from the callee');
    }
    const callee = await awaitUsage(platform, 'callee', ({ service_calls }) => service_calls === 5);
    assert.deepEqual([callee.requests, callee.service_calls, callee.bytes_out], [0, 5, 0]);
    assert.ok(callee.cpu_us > 0);
    const caller = await awaitUsage(platform, 'caller', ({ requests }) => requests === 5);
    assert.deepEqual([caller.requests, caller.service_calls, caller.subrequests], [5, 0, 5]);
  });

  it('counts what is still running', async () => {
    await deployCode(
      platform,
      'streaming',
      `export default { fetch() {
        const encoder = new TextEncoder();
        return new Response(new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 10));
            controller.enqueue(encoder.encode('0123456789'));
          },
        }));
      } }`,
    );
    const answer = await platform.open('streaming', '/');
    answer.resume();
    const running = await awaitUsage(platform, 'streaming', ({ bytes_out }) => bytes_out >= 100);
    assert.deepEqual([running.requests, running.outcomes], [0, {}]);
    assert.ok(running.cpu_us > 0 && running.bytes_out >= 100);
    answer.destroy();
    const ended = await awaitUsage(platform, 'streaming', ({ requests }) => requests === 1);
    assert.deepEqual([ended.requests, ended.errors], [1, 0]);
    assert.ok(ended.cpu_us >= running.cpu_us && ended.bytes_out >= running.bytes_out);
  });

  it('counts an entry that computes for long while it does', async () => {
    const code = `export default { fetch() {
      const until = Date.now() + 1e9;
      for (let i = 0; ; i++) if (i % 1e6 === 0 && until < 0) return new Response('never');
    } }`;
    await deployCode(platform, 'spinning', code, [], { cpu_ms: 4_000 });
    const answer = platform.request('spinning', '/');
    const running = await awaitUsage(platform, 'spinning', ({ cpu_us }) => cpu_us > 500_000);
    assert.deepEqual([running.requests, running.cpu_us > 500_000], [0, true]);
    assert.equal((await answer).status, 503);
    const ended = await awaitUsage(platform, 'spinning', ({ requests }) => requests === 1);
    assert.deepEqual(ended.outcomes, { exceededCpu: 1 });
    assert.ok(ended.cpu_us >= 3_900_000 && ended.cpu_us < 4_500_000, `${ended.cpu_us} µs`);
  });

  it('is shown by isola usage, as a table, as JSON and as CSV', async () => {
    const { requests } = await readUsage(platform, 'echo');
    const run = (...args: string[]) => runIsola(platform, ['usage', ...args]);
    const table = await run();
    assert.match(table.stdout, /^TIME +WORKER +REQUESTS/);
    assert.match(table.stdout, new RegExp(`echo +${requests} `));
    const month = new Date().toISOString().slice(0, 7);
    const json = JSON.parse((await run('--json', '--month', month)).stdout) as { rows: { worker: string }[] };
    assert.ok(json.rows.some(({ worker }) => worker === 'echo'));
    const [header, ...rows] = (await run('--csv', '--by', 'day')).stdout.trim().split('\n');
    assert.match(header!, /^time,worker,requests,errors,cpu_us,/);
    assert.equal(rows.filter((row) => row.includes(',echo,')).length, 1);
  });
});
