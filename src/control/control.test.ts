import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { openTestControl, TOKEN } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('the control API', () => {
  it('answers /healthz without a token', async () => {
    await using control = await openTestControl();
    const response = await control.app.inject({ url: '/healthz' });
    assert.deepEqual([response.statusCode, response.json().result], [200, { status: 'ok' }]);
  });

  it('refuses a missing or wrong token with 9109, also where nothing is', async () => {
    await using control = await openTestControl();
    for (const url of ['/client/v4/user', '/client/v4/accounts/main/workers/scripts', '/client/v4/nothing']) {
      for (const headers of [
        {},
        { authorization: 'Bearer wrong' },
        { 'x-auth-key': 'wrong' },
        { authorization: TOKEN },
      ]) {
        const response = await control.app.inject({ url, headers });
        assert.deepEqual([response.statusCode, response.json().errors[0].code], [401, 9109]);
      }
    }
  });

  it('takes the token as Bearer or as X-Auth-Key', async () => {
    await using control = await openTestControl();
    for (const headers of [{ authorization: `Bearer ${TOKEN}` }, { 'x-auth-key': TOKEN, 'x-auth-email': 'a@b' }]) {
      assert.equal((await control.app.inject({ url: '/client/v4/user', headers })).statusCode, 200);
    }
  });

  it('answers an unknown route with 404 naming method and path', async () => {
    await using control = await openTestControl();
    const { status, errors } = await control.request('PATCH', '/workers/nope?a=b');
    assert.deepEqual(
      [status, errors],
      [404, [{ code: 10002, message: 'No such resource: PATCH /client/v4/accounts/main/workers/nope' }]],
    );
  });

  it('collapses doubled slashes in front of the path and after the base URL', async () => {
    await using control = await openTestControl();
    for (const path of ['/client/v4//user/tokens/verify', '//client/v4/user/tokens/verify?a=//']) {
      const response = await control.app.inject({ url: `http://x${path}`, headers: { 'x-auth-key': TOKEN } });
      assert.equal(response.statusCode, 200, path);
    }
  });

  it('answers an unknown account with 404 and a bad one with 400', async () => {
    await using control = await openTestControl();
    const unknown = await control.request('GET', '/client/v4/accounts/nobody/workers/scripts');
    assert.deepEqual(
      [unknown.status, unknown.errors],
      [404, [{ code: 10002, message: "There is no account 'nobody'" }]],
    );
    const bad = await control.request('GET', '/client/v4/accounts/No.Body/workers/scripts');
    assert.deepEqual([bad.status, bad.errors[0]?.code], [400, 10001]);
  });

  it('hides what went wrong inside behind a request id and logs it', async () => {
    await using control = await openTestControl({ randomUUID: () => 'the-request-id' });
    control.platform.checkResult = undefined as never;
    const { status, errors } = await control.upload(SCRIPT, {});
    assert.deepEqual([status, errors], [500, [{ code: 10013, message: 'Internal error; request id the-request-id' }]]);
    assert.match(control.logged.join(), /error control request failed TypeError/);
  });

  it('refuses JSON that is malformed, of the wrong shape or too long', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    for (const body of ['{', '[]', '{"versions":[]}', '{"versions":"x"}', `"${'x'.repeat(1024 * 1024)}"`]) {
      const { status, errors } = await control.request('POST', `${SCRIPT}/deployments`, body);
      assert.deepEqual([status, errors[0]?.code], [400, 10001]);
    }
  });

  it('refuses JSON nested deeper than 100, wherever it comes in', async () => {
    await using control = await openTestControl();
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    const metadata = (json: string): string =>
      `{"main_module":"index.js","bindings":[{"name":"A","type":"json","json":${json}}]}`;
    const upload = await control.upload(SCRIPT, { metadata: metadata(nested(50_000)) });
    assert.deepEqual([upload.status, upload.errors[0]?.code], [400, 10021]);
    assert.equal((await control.upload(SCRIPT, { metadata: metadata(nested(90)) })).status, 200);
    for (const [method, path, body] of [
      ['PATCH', `${SCRIPT}/script-settings`, `{"observability":{"enabled":true,"x":${nested(5_000)}}}`],
      ['PUT', '/isola/bulk', `{"name":"a","code":"","vars":{"A":${nested(50_000)}}}`],
    ] as const) {
      const { status, errors } = await control.request(method, path, body);
      assert.equal(status, 400);
      assert.match(errors[0]!.message, /nested deeper than 100/);
    }
  });

  it('survives a malformed URL and an upload that is cut off', async () => {
    await using control = await openTestControl();
    const { port } = new URL(await control.app.listen({ port: 0, host: '127.0.0.1' }));
    const response = await fetch(`http://127.0.0.1:${port}/client/v4/%zz`);
    assert.deepEqual([response.status, ((await response.json()) as { success: boolean }).success], [400, false]);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    const head =
      `PUT /client/v4/accounts/main${SCRIPT} HTTP/1.1\r\nHost: x\r\nX-Auth-Key: ${TOKEN}\r\n` +
      'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n';
    const arrived = new Promise((resolve) => control.app.server.once('request', resolve));
    socket.write(head);
    await arrived;
    socket.destroy();
    assert.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200);
    assert.deepEqual(control.platform.checked, []);
  });
});

describe('a JSON body of many values', () => {
  const many = (count: number, key: (i: number) => string, value: unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), value]));

  it('is given up before a schema looks at each of them', async () => {
    await using control = await openTestControl();
    const secrets = many(9_000, (i) => `-${i}`, 1);
    const near = await control.request('PATCH', `${SCRIPT}/secrets-bulk`, { secrets });
    assert.match(near.errors[0]?.message ?? '', /secrets\.-0: /);
    const more = many(20_000, (i) => `-${i}`, 1);
    const { status, errors } = await control.request('PATCH', `${SCRIPT}/secrets-bulk`, { secrets: more });
    assert.deepEqual([status, errors[0]?.message], [400, 'Bad request body: it has more than 10000 values']);
  });

  it('which a manifest may have names the first file that is wrong', async () => {
    await using control = await openTestControl();
    const session = `${SCRIPT}/assets-upload-session`;
    const wrong = await control.request('POST', session, { manifest: many(19_000, (i) => `x${i}`, 1) });
    assert.match(wrong.errors[0]?.message ?? '', /^Bad request body: manifest\.x0: /);
    const nested = await control.request('POST', session, {
      manifest: { '/a': Array.from({ length: 90_000 }, () => 1) },
    });
    assert.equal(nested.errors[0]?.message, 'Bad request body: it has more than 80000 values');
    const manifest = many(20_000, (i) => `/${i}`, { hash: '0'.repeat(32), size: 1 });
    assert.equal((await control.request('POST', session, { manifest })).status, 200);
    const more = { ...manifest, '/more': { hash: '0'.repeat(32), size: 1 } };
    const { errors } = await control.request('POST', session, { manifest: more });
    assert.equal(errors[0]?.message, 'Bad request body: manifest: 20001 files, limit is 20000');
  });
});

describe('what is no HTTP', () => {
  for (const [name, bytes, status] of [
    ['another protocol', '\u0016\u0003\u0001 not TLS\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['a head without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`, 431],
  ] as const) {
    it(`is answered in the envelope, and the connection closed: ${name}`, async () => {
      await using control = await openTestControl();
      const { port } = new URL(await control.app.listen({ port: 0, host: '127.0.0.1' }));
      const socket = connect(Number(port), '127.0.0.1');
      socket.on('error', () => {}); // a reset, where the rest was not read
      socket.write(Buffer.from(bytes, 'latin1'));
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      await new Promise((resolve) => socket.once('close', resolve));
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')));
      assert.deepEqual([body.success, body.errors.length, body.errors[0].code], [false, 1, 10001]);
    });
  }
});

describe('products that do not exist yet', () => {
  for (const [method, path, product] of [
    ['GET', '/r2/buckets/x', 'R2'],
    ['GET', '/queues?name=x', 'Queues'],
    ['POST', '/d1/database', 'D1'],
    ['GET', '/pages/projects', 'Pages'],
    ['GET', '/mtls_certificates', 'mTLS certificates'],
    ['GET', '/browser-rendering/devtools/session', 'Browser Rendering'],
  ] as const) {
    it(`${method} ${path} is refused naming ${product}`, async () => {
      await using control = await openTestControl();
      const { status, errors } = await control.request(method, path, method === 'GET' ? undefined : {});
      assert.deepEqual([status, errors], [400, [{ code: 10300, message: `This platform has no ${product} yet` }]]);
    });
  }

  it('have empty lists where wrangler reads them in passing', async () => {
    await using control = await openTestControl();
    for (const path of [
      '/workers/durable_objects/namespaces?per_page=1000&page=1',
      '/workers/tails/by-consumer/hello',
    ]) {
      assert.deepEqual((await control.request('GET', path)).result, []);
    }
  });
});
