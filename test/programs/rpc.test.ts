/** graphql-yoga, asked as GraphQL clients do, and tRPC's fetch adapter with tRPC's own client. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError } from '@trpc/client';
import { Agent, fetch } from 'undici';
import { startTestPlatform, type TestPlatform, type TestResponse } from '../helpers/platform.ts';
import type { AppRouter } from './trpc/src/router.ts';

type ClientFetch = NonNullable<Parameters<typeof httpLink<AppRouter>>[0]['fetch']>;

const LOOPBACK = { address: '127.0.0.1', family: 4 };

interface GraphQLResult {
  readonly data?: unknown;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions?: object;
    readonly path?: readonly string[];
  }[];
}

describe('RPC', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await Promise.all([platform.deploy('test/programs/graphql-yoga'), platform.deploy('test/programs/trpc')]);
  });
  after(() => platform.stop());

  describe('graphql-yoga', () => {
    const post = (body: object, headers = {}): Promise<TestResponse> =>
      platform.request('graphql-yoga', '/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const ask = async (query: string, variables?: object): Promise<GraphQLResult> =>
      JSON.parse((await post({ query, variables })).text) as GraphQLResult;

    it('answers queries by POST and GET', async () => {
      assert.deepEqual(await ask('{ hello }'), { data: { hello: 'Hello world' } });
      const query = 'query ($name: String) { greeting: hello(name: $name) __typename }';
      const data = { greeting: 'Hello Ada', __typename: 'Query' };
      assert.deepEqual(await ask(query, { name: 'Ada' }), { data });
      const search = new URLSearchParams({ query, variables: '{"name":"Ada"}' });
      const { text } = await platform.request('graphql-yoga', `/graphql?${search.toString()}`);
      assert.deepEqual(JSON.parse(text), { data });
    });

    it('gives resolvers the request', async () => {
      const { text } = await post({ query: '{ agent }' }, { 'user-agent': 'tests' });
      assert.deepEqual(JSON.parse(text), { data: { agent: 'tests' } });
    });

    it('mutates', async () => {
      const query = 'mutation ($text: String!) { post(text: $text, author: "Ada") { id text author } }';
      const { data } = await ask(query, { text: 'second' });
      const { post } = data as { post: { id: string } };
      assert.deepEqual(post, { id: post.id, text: 'second', author: 'Ada' });
      assert.equal((await platform.request('graphql-yoga', '/graphql?query=mutation{post(text:"x"){id}}')).status, 405);
    });

    it('tells of errors: of syntax, of validation, thrown, and masked', async () => {
      assert.match((await ask('{ hello '))?.errors?.[0]?.message ?? '', /^Syntax Error/);
      assert.match(
        (await ask('{ helo }'))?.errors?.[0]?.message ?? '',
        /Cannot query field "helo".* Did you mean "hello"/,
      );
      const secret = await post({ query: '{ hello secret }' });
      assert.equal(secret.status, 403);
      const { data, errors } = JSON.parse(secret.text) as GraphQLResult;
      assert.deepEqual(data, { hello: 'Hello world', secret: null });
      assert.deepEqual(errors?.[0]?.extensions, { code: 'FORBIDDEN' });
      const broken = await post({ query: '{ broken }' });
      assert.doesNotMatch(broken.text, /password/);
      assert.match(broken.text, /Unexpected error/);
    });

    it('describes itself', async () => {
      const { data } = await ask('{ __schema { queryType { fields { name } } } __type(name: "Message") { kind } }');
      const { __schema, __type } = data as { __schema: { queryType: { fields: object[] } }; __type: object };
      assert.deepEqual(__type, { kind: 'OBJECT' });
      assert.equal(__schema.queryType.fields.length, 5);
      const page = await platform.request('graphql-yoga', '/graphql', { headers: { accept: 'text/html' } });
      assert.match(page.text, /<title>Yoga GraphiQL<\/title>/);
    });

    it('takes files, by multipart requests', async () => {
      const form = new FormData();
      const query = 'mutation ($file: File!) { size(file: $file) }';
      form.set('operations', JSON.stringify({ query, variables: { file: null } }));
      form.set('map', '{"0":["variables.file"]}');
      form.set('0', new File(['x'.repeat(1234)], 'x.txt'));
      const { headers, body } = await toHttp(form);
      const { text } = await platform.request('graphql-yoga', '/graphql', { method: 'POST', headers, body });
      assert.deepEqual(JSON.parse(text), { data: { size: 1234 } });
    });

    it('streams subscriptions as server-sent events', async () => {
      const query = 'subscription { countdown(from: 2) }';
      const { text, headers } = await post({ query }, { accept: 'text/event-stream' });
      assert.match(headers['content-type'] ?? '', /^text\/event-stream/);
      assert.deepEqual(
        [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? '') as unknown),
        [2, 1, 0].map((countdown) => ({ data: { countdown } })),
      );
      assert.match(text, /^event: complete$/m);
    });
  });

  describe('tRPC', () => {
    // Not by name: whether *.localhost resolves depends on the machine.
    const dispatcher = new Agent({ connect: { lookup: (_name, _options, found) => found(null, [LOOPBACK]) } });
    after(() => dispatcher.close());
    type Link = typeof httpLink | typeof httpBatchLink | typeof httpBatchStreamLink;
    const clientOf = (link: Link, headers: Record<string, string> = {}) => {
      const url = `http://trpc.${platform.account}.localhost:${new URL(platform.gatewayUrl).port}/trpc`;
      const toGateway = (input: string, init: object) => fetch(input, { ...init, dispatcher });
      const options = { url, headers, fetch: toGateway as unknown as ClientFetch };
      return createTRPCClient<AppRouter>({ links: [link<AppRouter>(options)] });
    };
    const rejectsWith = (promise: Promise<unknown>, code: string, httpStatus: number): Promise<void> =>
      assert.rejects(promise, (error: TRPCClientError<AppRouter>) => {
        assert.ok(error instanceof TRPCClientError);
        assert.equal(error.data?.code, code);
        assert.equal(error.data?.httpStatus, httpStatus);
        return true;
      });

    it('answers queries and mutations', async () => {
      const client = clientOf(httpLink, { 'x-user': 'ada' });
      assert.equal(await client.hello.query(), 'Hello world');
      assert.deepEqual(await client.posts.byId.query(7), { id: 7, title: 'Post 7' });
      assert.deepEqual(await client.posts.create.mutate({ title: 'News' }), { title: 'News', author: 'ada' });
    });

    it('tells of errors: of input, of middleware, thrown', async () => {
      const client = clientOf(httpLink);
      await rejectsWith(client.posts.byId.query(1.5), 'BAD_REQUEST', 400);
      await rejectsWith(client.posts.byId.query(101), 'NOT_FOUND', 404);
      await rejectsWith(client.posts.create.mutate({ title: 'News' }), 'UNAUTHORIZED', 401);
    });

    for (const [name, link] of Object.entries({ httpBatchLink, httpBatchStreamLink })) {
      it(`answers batches of ${name}, each call for itself`, async () => {
        const client = clientOf(link);
        const [hello, post, missing] = await Promise.allSettled([
          client.hello.query('batch'),
          client.posts.byId.query(1),
          client.posts.byId.query(1000),
        ]);
        assert.deepEqual(hello, { status: 'fulfilled', value: 'Hello batch' });
        assert.deepEqual(post, { status: 'fulfilled', value: { id: 1, title: 'Post 1' } });
        assert.equal(missing.status, 'rejected');
      });
    }

    it('streams what generators yield', async () => {
      const numbers: number[] = [];
      for await (const n of await clientOf(httpBatchStreamLink).numbers.query()) numbers.push(n);
      assert.deepEqual(numbers, [1, 2, 3]);
    });

    it('takes forms', async () => {
      const form = new FormData();
      form.set('title', 'x');
      form.set('file', new File(['x'], 'x.txt'));
      const { headers, body } = await toHttp(form);
      const { text } = await platform.request('trpc', '/trpc/upload', { method: 'POST', headers, body });
      assert.deepEqual(JSON.parse(text), { result: { data: ['title', 'file'] } });
    });

    it('streams subscriptions as server-sent events', async () => {
      const { text, headers } = await platform.request('trpc', '/trpc/ticks');
      assert.match(headers['content-type'] ?? '', /^text\/event-stream/);
      const ticks = [...text.matchAll(/^data: ({"tick".*)\nid: (\d)$/gm)].map(([, data, id]) => [data, id]);
      assert.deepEqual(
        ticks,
        [1, 2, 3].map((tick) => [`{"tick":${tick}}`, String(tick)]),
      );
    });
  });
});

async function toHttp(form: FormData): Promise<{ headers: Record<string, string>; body: Uint8Array }> {
  const request = new Request('http://form/', { method: 'POST', body: form });
  return { headers: { 'content-type': request.headers.get('content-type') ?? '' }, body: await request.bytes() };
}
