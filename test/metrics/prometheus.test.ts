import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

describe('Metrics for Prometheus', () => {
  let platform: TestPlatform;

  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--api-rate', '0', '--allow-private-egress']);
  });
  after(() => platform.stop());

  it('count what the gateway, the cells and their channels do', async () => {
    await using origin = await startOrigin();
    const code = `export default { async fetch() { return fetch('${origin.url}') } }`;
    await deployCode(platform, 'fetcher', code);
    for (let count = 0; count < 5; count++) assert.equal((await platform.request('fetcher', '/')).text, 'origin');
    assert.equal((await platform.request('nobody', '/')).status, 404);
    const samples = await until(
      (found) =>
        value(found, 'isola_host_call_seconds_count', 'kind="network"') >= 5 &&
        value(found, 'isola_invocation_wall_seconds_count', 'account="main",worker="fetcher"') >= 5,
    );
    assert.equal(value(samples, 'isola_host_call_seconds_bucket', 'kind="network",le="+Inf"'), 5);
    assert.equal(value(samples, 'isola_gateway_requests_total'), 6);
    assert.equal(value(samples, 'isola_gateway_responses_total', 'status="2xx"'), 5);
    assert.equal(value(samples, 'isola_gateway_pages_total', 'page="unknownWorker"'), 1);
    assert.equal(value(samples, 'isola_gateway_connections_total'), 6);
    assert.ok(value(samples, 'isola_gateway_client_bytes_total', 'direction="out"') > 5 * 6);
    const worker = 'account="main",worker="fetcher"';
    assert.equal(value(samples, 'isola_invocations_total', `${worker},event="fetch",outcome="ok"`), 5);
    assert.equal(value(samples, 'isola_invocation_wall_seconds_count', worker), 5);
    assert.equal(value(samples, 'isola_invocation_cpu_seconds_bucket', `${worker},le="+Inf"`), 5);
    assert.equal(value(samples, 'isola_worker_subrequests_total', worker), 5);
    assert.ok(value(samples, 'isola_worker_cpu_seconds_total', worker) > 0);
    assert.ok(value(samples, 'isola_worker_start_cpu_seconds_total', worker) > 0);
    assert.equal(value(samples, 'isola_worker_subrequests_total', 'account="",worker="other"'), 0);
    const cell = 'cell="c0",cordon="default"';
    assert.equal(value(samples, 'isola_cell_up', cell), 1);
    assert.equal(value(samples, 'isola_cell_instances', cell), 1);
    assert.equal(value(samples, 'isola_cell_evictions_total', cell), 0);
    assert.ok(value(samples, 'isola_cell_spares', cell) > 0);
    assert.ok(value(samples, 'isola_cell_memory_bytes', cell) > 2e7);
    assert.ok(value(samples, 'isola_cell_queue_delay_seconds_count', cell) > 5);
    for (const link of ['gateway', 'supervisor']) {
      for (const direction of ['in', 'out']) {
        const labels = `cell="c0",link="${link}",direction="${direction}"`;
        assert.ok(value(samples, 'isola_channel_bytes_total', labels) > 500, labels);
      }
    }
  });

  it('name 50 Workers and have the rest together, with nothing lost', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `many-${index}`);
    const uploads = names.map((name) => JSON.stringify({ name, code: HELLO }));
    const imported = await platform.control('/accounts/main/isola/bulk', {
      method: 'PUT',
      headers: { 'content-type': 'application/x-ndjson' },
      body: uploads.join('\n'),
    });
    assert.equal(imported.status, 200);
    for (const name of names) assert.equal((await platform.request(name, '/')).text, 'hello');
    const ended = (samples: string) =>
      samples
        .split('\n')
        .filter((line) => /^isola_invocation_cpu_seconds_count\{.*worker="(?:many-\d+|other)"/.test(line));
    const sum = (lines: string[]) =>
      lines.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0);
    const samples = await until((found) => sum(ended(found)) >= names.length);
    assert.equal(sum(ended(samples)), names.length);
    const named = samples.match(/^isola_invocation_cpu_seconds_count\{account="main",/gm);
    assert.equal(named?.length, 50);
    const other = 'account="",worker="other"';
    assert.ok(value(samples, 'isola_invocation_cpu_seconds_count', other) >= 10);
    assert.ok(value(samples, 'isola_worker_body_bytes_out_total', other) >= 10 * 'hello'.length);
  });

  it('are in the format, each metric once', async () => {
    const lines = (await scrape()).trimEnd().split('\n');
    const names = lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line)?.[1] ?? []);
    assert.equal(new Set(names).size, names.length);
    const documented = readFileSync(join(ROOT, 'docs', 'metrics.md'), 'utf8').match(/(?<=`)isola_[a-z_]+(?=`)/g);
    assert.deepEqual(new Set(documented), new Set(names));
    for (const line of lines) {
      if (line.startsWith('#')) continue;
      const name = /^([a-z_]+)(?:\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)*\})? -?[0-9.e+-]+$/.exec(line)?.[1];
      assert.ok(name !== undefined, line);
      assert.ok(
        names.some((known) => name.replace(/_(?:bucket|sum|count)$/, '') === known || name === known),
        line,
      );
    }
  });

  it("are for tokens of the operator's that may read", async () => {
    const url = `${platform.controlUrl}/metrics`;
    assert.equal((await fetch(url)).status, 401);
    const make = async (path: string, scopes: string[]) => {
      const body = JSON.stringify({ name: 'scraper', scopes });
      const made = await platform.control(path, { method: 'POST', body });
      return ((await made.json()) as { result: { token: string } }).result.token;
    };
    const ask = async (token: string) => {
      return (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status;
    };
    assert.equal(await ask(await make('/isola/tokens', ['account:read'])), 200);
    assert.equal(await ask(await make('/isola/tokens', ['kv:read'])), 403);
    assert.equal(await ask(await make('/accounts/main/isola/tokens', ['admin'])), 403);
  });

  async function scrape(): Promise<string> {
    const response = await fetch(`${platform.controlUrl}/metrics`, {
      headers: { authorization: `Bearer ${platform.token}` },
    });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    return response.text();
  }

  /** Asks again, one round trip after another. */
  async function until(condition: (samples: string) => boolean): Promise<string> {
    for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
      const samples = await scrape();
      if (condition(samples)) return samples;
    }
    throw new Error('It did not happen within 30 s');
  }
});

const HELLO = 'export default { fetch: () => new Response("hello") }';

function value(samples: string, name: string, labels?: string): number {
  const start = `${name}${labels === undefined ? '' : `{${labels}}`} `;
  const line = samples.split('\n').find((candidate) => candidate.startsWith(start));
  return line === undefined ? Number.NaN : Number(line.slice(start.length));
}

async function startOrigin() {
  const server = createServer((_, res) => res.end('origin')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
