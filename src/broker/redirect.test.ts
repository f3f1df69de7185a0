import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress } from './index.ts';
import { echo, echoed, get, never, pieces, refusal, serve, text, type Handler } from './testing.ts';

const open = createEgress({ allowPrivate: true });
after(() => open.close());

/** Redirects `/start`, once its body has arrived; echoes everything else. */
function redirectTo(status: number, location: string): Handler {
  return (request, response) => {
    if (request.url === '/start') request.resume().on('end', () => response.writeHead(status, { location }).end());
    else echo(request, response);
  };
}

describe('Egress.fetch() and redirects', () => {
  for (const [status, method, becomes] of [
    [301, 'POST', 'GET'],
    [302, 'POST', 'GET'],
    [303, 'PUT', 'GET'],
    [301, 'PUT', 'PUT'],
    [307, 'POST', 'POST'],
    [308, 'POST', 'POST'],
  ] as const) {
    it(`follows ${status} of ${method} with ${becomes}`, async () => {
      const url = await serve(redirectTo(status, 'end?x#frag'));
      const request = get(`${url}/start`, {
        method,
        headers: ['Content-Type', 'text/plain', 'Authorization', 'a'],
        body: Buffer.from('b'),
      });
      const response = await open.fetch(request, never);
      assert.equal(response.redirected, true);
      assert.equal(response.url, `${url}/end?x`);
      const seen = await echoed(response);
      assert.equal(seen.method, becomes);
      assert.equal(seen.body, becomes === 'GET' ? '' : 'b');
      assert.equal(seen.headers['content-type'], becomes === 'GET' ? undefined : 'text/plain');
      assert.equal(seen.headers['authorization'], 'a');
    });
  }

  it('drops authorization and cookie on the way to another origin', async () => {
    const other = await serve(echo);
    const url = await serve(redirectTo(302, other));
    const headers = ['Authorization', 'a', 'Cookie', 'c', 'X-Kept', 'k'];
    const seen = await echoed(await open.fetch(get(`${url}/start`, { headers }), never));
    assert.deepEqual(
      [seen.headers['authorization'], seen.headers['cookie'], seen.headers['x-kept']],
      [undefined, undefined, 'k'],
    );
  });

  it('cannot send a streamed body twice', async () => {
    const url = await serve(redirectTo(307, '/end'));
    const request = get(`${url}/start`, { method: 'POST', body: pieces('a', 'b') });
    await assert.rejects(open.fetch(request, never), refusal(/body is a stream/));
  });

  it('forgets a streamed body where the redirect makes it a GET', async () => {
    const url = await serve(redirectTo(303, '/end'));
    const seen = await echoed(await open.fetch(get(`${url}/start`, { method: 'POST', body: pieces('a') }), never));
    assert.equal(seen.method, 'GET');
  });

  it("hands out the redirect itself for 'manual', and fails for 'error'", async () => {
    const url = await serve(redirectTo(302, '/end'));
    const response = await open.fetch(get(`${url}/start`, { redirect: 'manual' }), never);
    assert.equal(response.status, 302);
    assert.equal(response.url, `${url}/start`);
    assert.ok(response.headers.includes('/end'));
    await assert.rejects(open.fetch(get(`${url}/start`, { redirect: 'error' }), never), refusal(/^Redirect refused/));
  });

  it('follows 20 redirects and not 21', async () => {
    const url = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    assert.equal(await text(await open.fetch(get(`${url}/20`), never)), 'there');
    await assert.rejects(open.fetch(get(`${url}/21`), never), refusal(/^Too many redirects: more than 20$/));
  });

  it('refuses to be redirected to another scheme', async () => {
    const url = await serve(redirectTo(302, 'file:///etc/passwd'));
    await assert.rejects(open.fetch(get(`${url}/start`), never), refusal(/scheme is file/));
  });
});
