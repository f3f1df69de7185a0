import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress } from './index.ts';
import { parseClient } from './referrer.ts';
import { echo, echoed, get, never, serve } from './testing.ts';

const open = createEgress({ allowPrivate: true });
after(() => open.close());

describe('Egress.fetch() for a guest that says where it comes from', () => {
  for (const [policy, same, other] of [
    ['', 'page', 'origin'],
    ['no-referrer', undefined, undefined],
    ['no-referrer-when-downgrade', 'page', 'page'],
    ['same-origin', 'page', undefined],
    ['origin', 'origin', 'origin'],
    ['strict-origin', 'origin', 'origin'],
    ['origin-when-cross-origin', 'page', 'origin'],
    ['unsafe-url', 'page', 'page'],
  ] as const) {
    it(`sends Referer by the policy '${policy}'`, async () => {
      const url = await serve(echo);
      for (const [origin, wanted] of [
        [url, same],
        ['http://localhost:1', other],
      ] as const) {
        const client = parseClient(policy, `${origin}/page?q`, '');
        const { headers } = await echoed(await open.fetch(get(`${url}/`, { client }), never));
        const expected = { page: `${origin}/page?q`, origin: `${origin}/` };
        assert.equal(headers['referer'], wanted === undefined ? undefined : expected[wanted]);
      }
    });
  }

  it('never sends a name, a password or a fragment, nor a page of https to http', async () => {
    const url = await serve(echo);
    const say = async (referrer: string): Promise<string | undefined> => {
      const client = parseClient('no-referrer-when-downgrade', referrer, '');
      return (await echoed(await open.fetch(get(`${url}/`, { client }), never))).headers['referer'];
    };
    assert.equal(await say('http://user:pass@localhost:1/a#b'), 'http://localhost:1/a');
    assert.equal(await say(`http://localhost:1/${'x'.repeat(5000)}`), 'http://localhost:1/');
    assert.equal(await say('about:client'), undefined);
  });

  it('follows the policy of a redirect, and tells no more than the hop before was told', async () => {
    const end = await serve(echo);
    const start = await serve((_, response) => {
      response.writeHead(302, { location: `${end}/`, 'referrer-policy': 'nonsense, unsafe-url' }).end();
    });
    const client = parseClient('origin', `${start}/page`, '');
    const { headers } = await echoed(await open.fetch(get(`${start}/`, { client }), never));
    assert.equal(headers['referer'], `${start}/`);
  });

  it('sends Origin to others, and none but "null" once a third one has redirected', async () => {
    const end = await serve(echo);
    const middle = await serve((_, response) => void response.writeHead(307, { location: `${end}/` }).end());
    const sent = async (url: string, origin: string, method = 'GET'): Promise<string | undefined> => {
      const response = await open.fetch(get(url, { method, client: parseClient('', '', origin) }), never);
      return (await echoed(response)).headers['origin'];
    };
    assert.equal(await sent(`${end}/`, end), undefined);
    assert.equal(await sent(`${end}/`, end, 'POST'), end);
    assert.equal(await sent(`${end}/`, middle), middle);
    assert.equal(await sent(`${middle}/`, middle), middle);
    assert.equal(await sent(`${middle}/`, 'http://localhost:1'), 'null');
  });

  it('leaves the headers of others as they are', async () => {
    const url = await serve(echo);
    const request = get(`${url}/`, { headers: ['referer', 'x', 'accept', 'text/plain'] });
    const { headers } = await echoed(await open.fetch(request, never));
    assert.equal(headers['referer'], 'x');
    assert.equal(headers['accept'], 'text/plain');
    assert.equal(headers['accept-language'], '*');
    assert.equal(headers['user-agent'], 'isola');
  });
});
