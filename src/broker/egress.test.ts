import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { MAX_LOOP_HOPS } from '../limits.ts';
import { createEgress, type HostPolicy, parsePorts } from './index.ts';
import { echo, echoed, get, listen, never, pieces, refusal, serve, text } from './testing.ts';

const open = createEgress({ allowPrivate: true, responseTimeoutMs: 5_000 });
after(() => open.close());

describe('Egress.fetch()', () => {
  it('sends method, path, headers and whole body, and brings back status, headers and body', async () => {
    const url = await serve((request, response) => {
      response.writeHead(
        207,
        'So so',
        [
          ['X-Twice', 'a'],
          ['X-Twice', 'b'],
          ['Connection', 'x-secret'],
          ['X-Secret', '1'],
        ].flat(),
      );
      echo(request, response);
    });
    const response = await open.fetch(
      get(`${url}/p?q=1#f`, {
        method: 'PUT',
        headers: ['X-A', '1', 'Host', 'evil', 'Content-Length', '999'],
        body: Buffer.from('hi'),
      }),
      never,
    );
    assert.equal(response.status, 207);
    assert.equal(response.statusText, 'So so');
    assert.equal(response.url, `${url}/p?q=1`);
    assert.equal(response.redirected, false);
    assert.deepEqual(response.headers.slice(0, 4), ['X-Twice', 'a', 'X-Twice', 'b']);
    assert.ok(!response.headers.some((name) => /^(connection|x-secret|transfer-encoding|keep-alive)$/i.test(name)));
    const seen = await echoed(response);
    assert.equal(`${seen.method} ${seen.url} ${seen.body}`, 'PUT /p?q=1 hi');
    assert.equal(seen.headers['x-a'], '1');
    assert.equal(seen.headers['host'], url.slice('http://'.length));
    assert.equal(seen.headers['content-length'], '2');
  });

  it('streams the request body while the response already arrives', async () => {
    const url = await serve((request, response) => request.pipe(response));
    const { promise: goOn, resolve: release } = Promise.withResolvers<void>();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      await goOn;
      yield Buffer.from('second');
    }
    const response = await open.fetch(get(url, { method: 'POST', body: body() }), never);
    const seen: string[] = [];
    for await (const chunk of response.body ?? []) {
      seen.push(Buffer.from(chunk).toString());
      release();
    }
    assert.equal(seen.join(''), 'firstsecond');
  });

  it('does not take more of a request body than the origin reads', async () => {
    const url = await listen(net.createServer((socket) => socket.pause()));
    const controller = new AbortController();
    const pulls = { bytes: 0, at: performance.now() };
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        pulls.bytes += 65_536;
        pulls.at = performance.now();
        yield new Uint8Array(65_536);
      }
    }
    const answer = open.fetch(get(url, { method: 'POST', body: endless() }), controller.signal);
    const failed = assert.rejects(answer, refusal(/^The fetch was cancelled$/));
    // Until the pulls have stopped: the kernel's socket buffers are full.
    while (pulls.bytes === 0 || performance.now() - pulls.at < 100)
      await new Promise((resolve) => setImmediate(resolve));
    assert.ok(pulls.bytes < 32 * 1024 * 1024, `took ${pulls.bytes} bytes`);
    controller.abort();
    await failed;
  });

  it('does not read more of a response than its reader takes', async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        do sent += chunk.length;
        while (response.write(chunk) && sent < 256 * 1024 * 1024);
      };
      response.on('drain', more);
      more();
    });
    const controller = new AbortController();
    const response = await open.fetch(get(url), controller.signal);
    let last = -1;
    for (let since = performance.now(); performance.now() - since < 100;) {
      if (sent !== last) since = performance.now();
      last = sent;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent < 32 * 1024 * 1024, `took ${sent} bytes`);
    controller.abort();
    await assert.rejects(text(response), refusal(/^The fetch was cancelled$/));
  });

  for (const [name, compress] of Object.entries({
    gzip: zlib.gzipSync,
    deflate: zlib.deflateSync,
    'deflate (raw)': zlib.deflateRawSync,
    br: zlib.brotliCompressSync,
    zstd: zlib.zstdCompressSync,
  })) {
    it(`undoes content-encoding ${name} and drops the header`, async () => {
      const encoding = name.split(' ')[0] ?? '';
      const plain = 'isola '.repeat(50_000);
      const url = await serve((_request, response) => {
        response.writeHead(200, { 'Content-Encoding': encoding, 'X-Kept': '1' }).end(compress(plain));
      });
      const response = await open.fetch(get(url), never);
      assert.deepEqual(response.headers.slice(0, 2), ['X-Kept', '1']);
      assert.ok(!response.headers.some((name) => /^content-(encoding|length)$/i.test(name)));
      assert.equal(await text(response), plain);
    });
  }

  it('fails a body that is not what its content-encoding says', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('plain text');
    });
    await assert.rejects(open.fetch(get(url), never).then(text), refusal(/could not be decompressed$/));
  });

  it('leaves an unknown content-encoding, and that of a HEAD response, alone', async () => {
    const url = await serve((request, response) => {
      response.writeHead(200, { 'Content-Encoding': request.method === 'HEAD' ? 'gzip' : 'rot13' }).end('uryyb');
    });
    const response = await open.fetch(get(url), never);
    assert.deepEqual(response.headers.slice(0, 2), ['Content-Encoding', 'rot13']);
    assert.equal(await text(response), 'uryyb');
    const head = await open.fetch(get(url, { method: 'HEAD' }), never);
    assert.deepEqual(head.headers.slice(0, 2), ['Content-Encoding', 'gzip']);
    assert.equal(head.body, undefined);
  });

  it('says that the connection was lost when the origin hangs up', async () => {
    const url = await listen(net.createServer((socket) => socket.once('data', () => socket.destroy())));
    await assert.rejects(open.fetch(get(url), never), refusal(/^Network connection lost$/));
  });

  it('fails the body when the origin hangs up half-way', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half', () => response.destroy());
    });
    await assert.rejects(open.fetch(get(url), never).then(text), refusal(/^Network connection lost$/));
  });

  it('gives up on an origin that never answers', async () => {
    const impatient = createEgress({ allowPrivate: true, responseTimeoutMs: 50 });
    const url = await serve(() => {});
    await assert.rejects(impatient.fetch(get(url), never), refusal(/^Response timed out: http:\/\/127/));
    await impatient.close();
  });

  it('cancels a fetch that has not connected yet, and lets go of its body', async () => {
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
    const stuck = createEgress({
      allowPrivate: true,
      resolve: () => {
        onAsked();
        return new Promise(() => {});
      },
    });
    const controller = new AbortController();
    const answer = stuck.fetch(get('http://slow.test', { method: 'POST', body: pieces('a') }), controller.signal);
    await asked;
    controller.abort();
    await assert.rejects(answer, refusal(/^The fetch was cancelled$/));
    await assert.rejects(stuck.fetch(get('http://slow.test'), controller.signal), refusal(/^The fetch was cancelled$/));
    await stuck.close();
  });

  it('fails with the body that it was sending', async () => {
    const url = await serve((request) => request.resume());
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a');
      throw new Error('/secret/path');
    }
    const request = get(url, { method: 'POST', body: broken() });
    await assert.rejects(open.fetch(request, never), refusal(/^Network connection lost$/));
  });

  it('names a refused connection and an unknown host', async () => {
    const server = net.createServer();
    const url = await listen(server);
    server.close();
    await assert.rejects(open.fetch(get(url), never), refusal(/^Connection refused by http:\/\/127/));
    const lost = createEgress({
      allowPrivate: true,
      resolve: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    });
    await assert.rejects(
      lost.fetch(get('http://nowhere.test'), never),
      refusal(/^Name not resolved: http:\/\/nowhere.test$/),
    );
    await lost.close();
  });

  for (const [request, message] of [
    [get('ftp://example.com/'), /scheme is ftp/],
    [get('file:///etc/passwd'), /scheme is file/],
    [get('nonsense'), /invalid URL/],
    [get('http://user:pw@example.com/'), /credentials/],
    [get('http://example.com:25/'), /port 25 is blocked/],
    [get(`http://example.com/${'a'.repeat(17_000)}`), /limit is 16384/],
    [get('http://127.0.0.1/', { method: 'CONNECT' }), /method/],
    [get('http://127.0.0.1/', { method: 'G ET' }), /method/],
    [get('http://127.0.0.1/', { body: Buffer.from('x') }), /GET with a body/],
    [get('http://127.0.0.1/', { headers: ['X', 'a\r\nY: b'] }), /invalid header/],
  ] as const) {
    it(`refuses ${request.method} ${request.url.slice(0, 40)}: ${message.source}`, async () => {
      await assert.rejects(open.fetch(request, never), refusal(message));
    });
  }

  it('refuses a port that is not on the list, and takes one of a range that is', async () => {
    const url = await serve(echo);
    const port = Number(new URL(url).port);
    await using narrow = createEgress({ allowPrivate: true, ports: parsePorts('80,443') });
    await assert.rejects(
      narrow.fetch(get(url), never),
      refusal(new RegExp(`port is ${port}, allowed on this platform are 80,443$`)),
    );
    await using wide = createEgress({ allowPrivate: true, ports: parsePorts(`80,${port - 1}-${port + 1}`) });
    assert.equal((await wide.fetch(get(url), never)).status, 200);
    for (const wrong of ['0', '65536', '90-80', '80,', 'all'])
      assert.throws(() => parsePorts(wrong), /Cannot use port/);
  });

  it('reaches what its account may, by any spelling of the host', async () => {
    const url = await serve(echo);
    const ask = (hosts: HostPolicy) => open.fetch(get(url, { hosts }), never);
    assert.equal((await ask({ allow: ['127.0.0.1'] })).status, 200);
    await assert.rejects(ask({ allow: ['127.0.0.1'], deny: ['127.0.0.1'] }), refusal(/may not reach 127\.0\.0\.1$/));
    await assert.rejects(ask({ allow: [] }), refusal(/127\.0\.0\.1 is not among the hosts/));
    for (const host of ['a.example.com', 'A.EXAMPLE.COM', 'a.example.com.', 'b.a.example.com']) {
      const request = get(`http://${host}/`, { hosts: { deny: ['*.example.com'] } });
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await assert.rejects(open.fetch(request, never), refusal(/may not reach/));
    }
    const below = get('http://example.com/', { hosts: { allow: ['*.example.com'] } });
    await assert.rejects(open.fetch(below, never), refusal(/example\.com is not among/));
  });

  it('says in CDN-Loop how many Workers have fetched, whatever the guest says, and ends it at the limit', async () => {
    const url = await serve(echo);
    const ask = (hops: number) => open.fetch(get(url, { hops, headers: ['CDN-Loop', 'other'] }), never);
    assert.equal((await echoed(await ask(0))).headers['cdn-loop'], 'isola');
    assert.equal((await echoed(await ask(2))).headers['cdn-loop'], 'isola, isola, isola');
    assert.equal((await ask(MAX_LOOP_HOPS)).status, 200);
    await assert.rejects(ask(MAX_LOOP_HOPS + 1), refusal(/^Loop refused/));
  });

  it('ends a body at its limit, counted after decompression, and one that takes too long', async () => {
    const body = zlib.gzipSync(Buffer.alloc(1_000_001));
    const url = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body));
    await using small = createEgress({ allowPrivate: true, maxResponseBytes: 1_000_000 });
    await assert.rejects(small.fetch(get(url), never).then(text), refusal(/longer than 1000000 bytes$/));
    await using enough = createEgress({ allowPrivate: true, maxResponseBytes: 1_000_001 });
    assert.equal((await text(await enough.fetch(get(url), never))).length, 1_000_001);
    const endless = await serve((_request, response) => {
      const timer = setInterval(() => response.write('.'), 5);
      response.on('close', () => clearInterval(timer));
    });
    await using brief = createEgress({ allowPrivate: true, wallMs: 50 });
    await assert.rejects(brief.fetch(get(endless), never).then(text), refusal(/has taken longer/));
  });
});
