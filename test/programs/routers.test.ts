/** Hono, itty-router and zod, as their users write them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform, type TestResponse } from '../helpers/platform.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('Routers and validators', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await Promise.all([
      platform.deploy('test/programs/hono'),
      platform.deploy('test/programs/itty-router').then(() => platform.deploy('test/programs/zod')),
    ]);
  });
  after(() => platform.stop());

  const toJson = ({ text }: TestResponse): unknown => JSON.parse(text);

  describe('Hono', () => {
    const get = (path: string, headers = {}) => platform.request('hono', path, { headers });
    const post = (path: string, headers: Record<string, string>, body: string) =>
      platform.request('hono', path, { method: 'POST', headers, body });

    it('routes, with bindings, parameters, middleware and headers', async () => {
      const welcome = await get('/?visitor=ada');
      assert.equal(welcome.text, 'Welcome to the Guest book');
      assert.equal(welcome.headers['x-visitor'], 'ada');
      assert.deepEqual(toJson(await get('/posts/7')), { id: 7 });
      const missing = await get('/posts/seven');
      assert.equal(missing.status, 404);
      assert.deepEqual(toJson(missing), { error: 'not found', path: '/posts/seven' });
      const { headers } = await get('/api/entries?page=1', { origin: 'https://example.com' });
      assert.equal(headers['access-control-allow-origin'], 'https://example.com');
    });

    it('answers for errors that handlers throw', async () => {
      const broken = await get('/broken');
      assert.equal(broken.status, 500);
      assert.deepEqual(toJson(broken), { error: 'broken on purpose' });
      const teapot = await get('/teapot');
      assert.deepEqual([teapot.status, teapot.text], [418, 'short and stout']);
    });

    it('validates forms with its validator', async () => {
      const signed = await post('/sign', FORM, 'name=Ada+L.');
      assert.equal(signed.status, 201);
      assert.deepEqual(toJson(signed), { signed: 'Ada L.' });
      const refused = await post('/sign', FORM, 'name=');
      assert.deepEqual([refused.status, refused.text], [400, 'Who are you?']);
    });

    it('validates JSON and queries with zod', async () => {
      const created = await post('/api/entries', JSON_TYPE, '{"name":"x","rating":5}');
      assert.equal(created.status, 201);
      assert.deepEqual(toJson(created), { name: 'x', rating: 5, tags: [] });
      const refused = await post('/api/entries', JSON_TYPE, '{"name":"","rating":9}');
      assert.equal(refused.status, 400);
      const { error } = toJson(refused) as { error: { name: string; message: string } };
      assert.equal(error.name, 'ZodError');
      assert.deepEqual(
        (JSON.parse(error.message) as { path: string[]; code: string }[]).map(({ path, code }) => [...path, code]),
        [
          ['name', 'too_small'],
          ['rating', 'too_big'],
        ],
      );
      assert.equal((await post('/api/entries', JSON_TYPE, '{"name":')).status, 400, 'malformed JSON');
      assert.deepEqual(toJson(await get('/api/entries?page=3')), { page: 3 });
      assert.equal((await get('/api/entries?page=x')).status, 400);
    });

    it('renders JSX, with asynchronous components and layouts', async () => {
      const { text, headers } = await get('/book?name=Ada&name=%3Cb%3E');
      assert.match(headers['content-type'] ?? '', /^text\/html/);
      assert.equal(
        text,
        '<main><h1>Guest book</h1><ul style="color:red"><li class="entry">Ada</li><li class="entry">&lt;b&gt;</li></ul></main>',
      );
      assert.equal(
        (await get('/pages/about')).text,
        '<!DOCTYPE html><html><head><title>About</title></head><body><p>About us</p></body></html>',
      );
    });

    it('streams JSX before what it suspends on', async () => {
      const { hostname, port } = new URL(platform.gatewayUrl);
      const headers = { host: `hono.${platform.account}.localhost:${port}` };
      const outgoing = httpRequest({ hostname, port, path: '/slow', method: 'POST', headers });
      outgoing.flushHeaders();
      const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
      let html = '';
      for await (const chunk of incoming.setEncoding('utf8')) {
        html += chunk as string;
        // What the component waits for is sent when its place is there.
        if (html.includes('one moment') && !outgoing.writableEnded) outgoing.end('the report');
      }
      assert.ok(html.indexOf('<p>the report</p>') > html.indexOf('<p>one moment</p>'), html);
    });

    it('streams text, events and request bodies', async () => {
      assert.equal((await get('/count')).text, '1\n2\n3\n');
      const events = await get('/events');
      assert.match(events.headers['content-type'] ?? '', /^text\/event-stream/);
      assert.equal(events.text, 'event: tick\ndata: tick 0\nid: 0\n\nevent: tick\ndata: tick 1\nid: 1\n\n');
      const body = 'text '.repeat(50_000);
      assert.equal((await post('/echo', {}, body)).text, body);
    });

    it('tags responses and answers 304', async () => {
      const { headers, status } = await get('/tagged');
      assert.equal(status, 200);
      assert.match(headers.etag ?? '', /^"[0-9a-f]{40}"$/);
      assert.equal((await get('/tagged', { 'if-none-match': headers.etag })).status, 304);
    });

    it('signs cookies and tokens, and believes no others', async () => {
      const login = await get('/login');
      const cookie = (login.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
      assert.deepEqual(toJson(await get('/whoami', { cookie })), { user: 'ada' });
      assert.deepEqual(toJson(await get('/whoami', { cookie: cookie.replace('ada', 'eve') })), { user: false });
      const me = await get('/private/me', { authorization: `Bearer ${login.text}` });
      assert.equal((toJson(me) as { sub: string }).sub, 'ada');
      assert.equal((await get('/private/me', { authorization: `Bearer ${login.text.slice(0, -4)}` })).status, 401);
      assert.equal((await get('/private/me')).status, 401);
    });

    it('keeps the context of each request in its AsyncLocalStorage', async () => {
      const visitors = ['ada', 'bob', 'cyd', 'dan'];
      const answers = await Promise.all(visitors.map((visitor) => get(`/context?visitor=${visitor}`)));
      assert.deepEqual(
        answers.map(({ text }) => text),
        visitors,
      );
    });
  });

  describe('itty-router', () => {
    const get = (path: string, headers = {}) => platform.request('itty-router', path, { headers });

    it('routes by patterns, and makes responses of what handlers return', async () => {
      assert.equal((await get('/')).text, 'Hello from itty-router');
      assert.deepEqual(toJson(await get('/greet')), { hello: 'stranger', query: {} });
      assert.deepEqual(toJson(await get('/greet/ada?a=1&a=2')), { hello: 'ada', query: { a: ['1', '2'] } });
      assert.deepEqual(toJson(await get('/todos/1')), { title: 'buy milk' });
      assert.deepEqual(toJson(await get('/files/a/b/c')), { path: 'a/b/c' });
      assert.deepEqual(toJson(await get('/photo.png')), { format: 'png' });
    });

    it('parses bodies', async () => {
      const options = { method: 'POST', headers: JSON_TYPE, body: '{"title":"read"}' };
      const { status, text } = await platform.request('itty-router', '/todos', options);
      assert.equal(status, 201);
      assert.deepEqual(JSON.parse(text), { created: { title: 'read' } });
    });

    it('stops at middleware that answers', async () => {
      const refused = await get('/me');
      assert.equal(refused.status, 401);
      assert.deepEqual(toJson(refused), { status: 401, error: 'Who are you?' });
      assert.deepEqual(toJson(await get('/me', { 'x-user': 'ada' })), { user: 'ada', method: 'GET' });
    });

    it('answers for errors', async () => {
      for (const [path, status] of [
        ['/todos/2', 404],
        ['/nowhere', 404],
        ['/teapot', 418],
        ['/broken', 500],
      ] as const) {
        const response = await get(path);
        assert.equal(response.status, status, path);
        assert.equal((toJson(response) as { status: number }).status, status);
      }
    });

    it('speaks CORS', async () => {
      const preflight = await platform.request('itty-router', '/', { method: 'OPTIONS' });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers['access-control-allow-origin'], 'https://example.com');
      assert.equal((await get('/public')).headers['access-control-allow-origin'], 'https://example.com');
    });
  });

  describe('zod', () => {
    const post = (user: object) => platform.request('zod', '/', { method: 'POST', body: JSON.stringify(user) });
    const user = {
      id: '0d1c7a4e-7c1c-4a3e-9a50-5d1f1d0d2d11',
      email: 'ada@example.com',
      born: '1815-12-10',
      contact: { kind: 'phone', number: '1 23 4' },
    };

    it('parses, coerces, transforms and fills in', async () => {
      const { status, text } = await post(user);
      assert.equal(status, 200);
      assert.deepEqual(JSON.parse(text), {
        ...user,
        born: '1815-12-10T00:00:00.000Z',
        role: 'member',
        contact: { kind: 'phone', number: '1234' },
      });
    });

    it('tells what is wrong, and where', async () => {
      const wrong = await post({ ...user, id: 'x', contact: { kind: 'pigeon' }, address: { street: '', zip: '1' } });
      assert.equal(wrong.status, 400);
      const { fieldErrors } = toJson(wrong) as { fieldErrors: Record<string, string[]> };
      assert.deepEqual(Object.keys(fieldErrors).toSorted(), ['address', 'contact', 'id']);
      assert.deepEqual(fieldErrors['id'], ['Invalid UUID']);
      assert.match((await post({ ...user, extra: 1 })).text, /Unrecognized key: \\"extra\\"/);
      assert.match((await post({ ...user, role: 'admin' })).text, /An admin needs an address/);
    });

    it('refines asynchronously', async () => {
      assert.equal((await platform.request('zod', '/name?name=free')).text, 'free');
      const taken = await platform.request('zod', '/name?name=taken');
      assert.deepEqual([taken.status, taken.text], [400, '✖ This name is taken']);
    });

    it('writes JSON schemas', async () => {
      const schema = toJson(await platform.request('zod', '/schema')) as Record<string, unknown>;
      assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
      assert.deepEqual(schema['required'], ['id', 'email', 'born', 'contact']);
    });
  });
});
