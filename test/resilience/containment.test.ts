/** What only shows between processes: heads and bodies that have to fit the channel, clients that do not read. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { MAX_OPEN_CONNECTIONS } from '../../src/limits.ts';
import type { InvocationRecord } from '../../src/model.ts';
import { type TestPlatform, startTestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const TIMEOUT_MS = 60_000;
const LONG_HEADER_CHARS = 300_000; // longer than a frame's head may be
const UPLOAD_BYTES = 5 * 1024 * 1024;
const DOWNLOAD_BYTES = 12_000_000; // two fit in 32 MiB, three do not

describe('A cell goes on', { timeout: TIMEOUT_MS }, () => {
  let platform: TestPlatform;
  let upstream: Upstream;
  /** `body` is that of an async `fetch(request, env, ctx)`. */
  const deploy = (name: string, body: string) =>
    deployCode(platform, name, `export default { async fetch(request, env, ctx) { ${body} } }`);
  const assertNeighbour = async () => assert.equal((await platform.request('neighbour', '/')).text, 'here');
  /** The next record of this Worker with console lines, or an outcome other than `ok`. */
  const nextRecord = async (name: string) =>
    JSON.parse(await platform.line(new RegExp(`"worker":"${name}"`))) as InvocationRecord;

  before(async () => {
    upstream = await startUpstream();
    platform = await startTestPlatform(['--cells', '1', '--allow-private-egress']);
    await deploy('neighbour', 'return new Response("here")');
  });
  after(async () => {
    await platform.stop();
    upstream.server.close();
  });

  it('after a fetch whose headers are too long: it rejects, also when it had to queue for its connection', async () => {
    await deploy(
      'wordy',
      `
      const headers = { "x-long": "x".repeat(${LONG_HEADER_CHARS}) };
      const long = () => fetch("${upstream.origin}/now", { headers }).then(() => "answered", (error) => error.message);
      if (!request.url.endsWith("/queued")) return Response.json([await long()]);
      const held = Array.from({ length: ${MAX_OPEN_CONNECTIONS} }, () => fetch("${upstream.origin}/held"));
      const last = long();
      return Response.json([...(await Promise.all(held)).map((response) => response.status), await last])`,
    );
    const [message] = JSON.parse((await platform.request('wordy', '/')).text) as [string];
    assert.match(message, /long|large|bytes/);
    await assertNeighbour();

    const answer = platform.request('wordy', '/queued');
    await upstream.release(MAX_OPEN_CONNECTIONS);
    assert.deepEqual(JSON.parse((await answer).text), [...Array<number>(MAX_OPEN_CONNECTIONS).fill(200), message]);
    await assertNeighbour();
  });

  it('with scheduled events of a warm Worker: each is answered', async () => {
    await deployCode(
      platform,
      'clockwork',
      'let runs = 0; export default { fetch: () => new Response(runs), scheduled() { runs++ } }',
    );
    const path = `/accounts/${platform.account}/workers/scripts/clockwork/isola/scheduled`;
    for (let run = 1; run <= 5; run++) {
      const response = await platform.control(path, { method: 'POST', body: '{"cron":"* * * * *"}' });
      const { result } = (await response.json()) as { result: { outcome: string } };
      assert.equal(result.outcome, 'ok');
      assert.equal((await platform.request('clockwork', '/')).text, String(run));
    }
  });

  it('after an answer that came before the upload was read: the invocation is not cancelled', async () => {
    await deploy(
      'early',
      `
      ctx.waitUntil(fetch("${upstream.origin}/held").then(() => console.log("aborted", request.signal.aborted)));
      return new Response("early")`,
    );
    const { hostname, port } = new URL(platform.gatewayUrl);
    const client = connect(Number(port), hostname);
    client.write(
      `POST / HTTP/1.1\r\nhost: early.${platform.account}.localhost\r\ncontent-length: ${UPLOAD_BYTES}\r\n\r\n`,
    );
    client.write(Buffer.alloc(UPLOAD_BYTES / 2));
    let answer = '';
    for await (const chunk of client) {
      answer += String(chunk);
      if (answer.endsWith('early')) break;
    }
    assert.match(answer, /^HTTP\/1\.1 200 /);
    // The Worker's work goes on past the end of its client, and then looks whether it was told to stop.
    await upstream.release(1);
    const { outcome, logs } = await nextRecord('early');
    assert.equal(outcome, 'ok');
    assert.deepEqual(
      logs.map((line) => line.message),
      ['aborted false'],
    );
  });

  it('with clients that do not read: what waits for them counts as memory of the Worker', async () => {
    await deploy('bulky', `return new Response("x".repeat(${DOWNLOAD_BYTES}))`);
    const limits = await platform.control(`/accounts/${platform.account}/workers/scripts/bulky/isola/limits`, {
      method: 'PUT',
      body: '{"memoryMiB":32}',
    });
    assert.equal(limits.status, 200);
    // A version keeps the limits it was loaded with.
    await deploy('bulky', `return new Response("x".repeat(${DOWNLOAD_BYTES}))`);
    const first = await platform.open('bulky', '/');
    const second = await platform.open('bulky', '/');
    const third = await platform.open('bulky', '/');
    assert.equal((await nextRecord('bulky')).outcome, 'exceededMemory');
    await assert.rejects(readText(third), /aborted/);
    assert.equal((await readText(first)).length, DOWNLOAD_BYTES);
    assert.equal((await readText(second)).length, DOWNLOAD_BYTES);
    assert.equal((await platform.request('bulky', '/')).text.length, DOWNLOAD_BYTES);
    await assertNeighbour();
  });

  it('through all of this in one process', () => {
    assert.deepEqual(
      platform.output.filter((line) => line.includes('"event":"cell-exit"')),
      [],
    );
  });
});

interface Upstream {
  readonly server: Server;
  readonly origin: string;
  /** Answers so many requests for `/held`, once they are all here. */
  release(count: number): Promise<void>;
}

async function startUpstream(): Promise<Upstream> {
  const held: ServerResponse[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/held') {
      held.push(response);
      server.emit('held');
    } else {
      response.end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    server,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async release(count) {
      while (held.length < count) await once(server, 'held');
      for (const response of held.splice(0, count)) response.end();
    },
  };
}
