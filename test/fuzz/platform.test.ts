/** What clients and tenants send to a whole platform: whatever it is, gateway and supervisor go on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Random, SEED } from '../../src/guest/testing/random.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { RawClient } from './client.ts';
import { hostileText } from './hostile.ts';
import { FUZZ_MS, fuzzing } from './time.ts';
import { hostileGraph, hostileMetadata, hostileWasm, toWasmForm } from './uploads.ts';

const PARALLEL = 4;
const LINES = 12; // header lines of a request, at most

/** Answers with headers as the request's body has them, and fails as JavaScript has it. */
const HEADERS_WORKER = `export default { async fetch(request) {
  const { status, text, headers } = await request.json();
  const body = status === 204 || status === 304 ? null : 'body';
  return new Response(body, { status, statusText: text, headers });
} }`;
/** Compiles what it is sent, and calls what comes of it. */
const WASM_WORKER = `export default { async fetch(request) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(await request.bytes()), {});
  return Response.json(Object.values(exports).map((one) => typeof one === 'function' ? one(1) : typeof one));
} }`;

describe(`A platform that is sent (ISOLA_FUZZ_SEED=${SEED})`, { timeout: FUZZ_MS * 4 + 90_000 }, () => {
  const random = new Random(SEED);
  let platform: TestPlatform;
  let gateway: RawClient;
  let namespace: string;
  let started = 0;

  before(async () => {
    platform = await startTestPlatform(['--api-rate', '0', '--keep-versions', '50']);
    started = platform.output.length;
    gateway = new RawClient(platform.gatewayUrl);
    const namespaces = `/accounts/${platform.account}/storage/kv/namespaces`;
    const created = await platform.control(namespaces, { method: 'POST', body: '{"title":"fuzz"}' });
    namespace = ((await created.json()) as { result: { id: string } }).result.id;
    await deployCode(platform, 'hello', 'export default { fetch: () => new Response("hello") }');
    await deployCode(platform, 'headers', HEADERS_WORKER);
    await deployCode(platform, 'wasm', WASM_WORKER);
  });
  after(async () => {
    gateway[Symbol.dispose]();
    await platform.stop(); // throws unless it ends in order
  });

  it('metadata of uploads answers below 500', () => upload(() => hostileMetadata(random, namespace)));
  it('graphs of modules answers below 500', () => upload(() => hostileGraph(random)));

  it('WebAssembly refuses it, or runs it within its limits', async () => {
    await upload(() => toWasmForm(hostileWasm(random)));
    await work(async () => {
      const { status } = await send('wasm', { method: 'POST', body: hostileWasm(random) });
      assert.ok([200, 500, 502, 503].includes(status), String(status));
    }, FUZZ_MS / 2);
    await checkAlive();
  });

  it('headers answers with a page of its own, or hands them on as they are', async () => {
    await work(async () => {
      const lines = Array.from({ length: random.below(LINES) }, () => `${hostileText(random)}: ${hostileText(random)}`);
      const path = random.chance(80) ? '/' : hostileText(random);
      const head = [`${random.pick(['GET', 'POST', 'OPTIONS', 'x'])} ${path} HTTP/1.1`, hostOf('hello'), ...lines];
      const answer = await gateway.sendBytes(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n`);
      assert.doesNotMatch(answer, /^HTTP\/1.1 50[02]/, head.join('\n').slice(0, 2_000));

      const headers = Array.from({ length: random.below(LINES) }, () => [hostileText(random), hostileText(random)]);
      const status = random.pick([200, 201, 204, 304, 404, 500, 599, 101, 0, 1e9]);
      const body = JSON.stringify({ status, headers, text: hostileText(random) });
      const post = [
        'POST / HTTP/1.1',
        hostOf('headers'),
        `content-length: ${body.length}`,
        'connection: close',
        '',
        body,
      ];
      assert.match(
        await gateway.sendBytes(post.join('\r\n'), { waits: true }),
        /^HTTP\/1.1 [2-5]\d\d[ \r]/,
        body.slice(0, 2_000),
      );
    });
    await checkAlive();
  });

  function hostOf(worker: string): string {
    return `host: ${worker}.${platform.account}.localhost`;
  }

  async function send(worker: string, options: { method: string; body: string | Uint8Array }) {
    return await platform.request(worker, '/', options);
  }

  async function upload(next: () => FormData): Promise<void> {
    const statuses = new Map<number, number>();
    await work(async () => {
      const body = next();
      const path = `/accounts/${platform.account}/workers/scripts/fuzzed-${random.below(3)}`;
      const response = await platform.control(path, { method: 'PUT', body });
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      assert.ok(response.status < 500, `${text}\n${await describeForm(body)}`);
      assert.equal((JSON.parse(text) as { success: boolean }).success, response.status < 400);
    });
    assert.ok((statuses.get(400) ?? 0) > 0);
    console.log('statuses:', Object.fromEntries(statuses));
    await checkAlive();
  }

  /** Does it again and again, several at a time, until the time is over. */
  async function work(once: () => Promise<void>, ms = FUZZ_MS): Promise<void> {
    const goesOn = fuzzing(ms);
    await Promise.all(
      Array.from({ length: PARALLEL }, async () => {
        while (goesOn()) await once();
      }),
    );
  }

  async function checkAlive(): Promise<void> {
    assert.equal((await platform.request('hello', '/')).text, 'hello');
    assert.equal((await fetch(`${platform.controlUrl}/healthz`)).status, 200);
    const faults = platform.output
      .slice(started)
      .filter((line) => line.startsWith('{"event":"warning"') && !/: cell c\d/.test(line));
    assert.deepEqual(faults, []);
  }
});

async function describeForm(form: FormData): Promise<string> {
  const parts = [...form].map(async ([name, value]) =>
    typeof value === 'string' ? `${name}: ${value}` : `${name} (${value.type}): ${JSON.stringify(await value.text())}`,
  );
  return (await Promise.all(parts)).join('\n').slice(0, 5_000);
}
