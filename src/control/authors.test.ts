import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTestControl, type TestControl, toForm } from './testing.ts';

const SCRIPT = '/client/v4/accounts/main/workers/scripts/hello';
const FORM = { metadata: { main_module: 'index.js', compatibility_date: '2026-01-01' } };

interface Ask {
  (method: 'DELETE' | 'GET' | 'PATCH' | 'POST' | 'PUT', path: string, body?: FormData | object): Promise<unknown>;
}

/** Requests with a token of that name. */
async function as(control: TestControl, name: string): Promise<Ask> {
  const made = await control.request('POST', '/isola/tokens', { name, scopes: ['workers:write'] });
  return async (method, url, body) => {
    const encoded = new Response(body instanceof FormData ? body : JSON.stringify(body));
    const response = await control.app.inject({
      method,
      url,
      headers: {
        authorization: `Bearer ${made.result.token}`,
        'content-type': body instanceof FormData ? encoded.headers.get('content-type')! : 'application/json',
      },
      ...(body !== undefined && { payload: Buffer.from(await encoded.arrayBuffer()) }),
    });
    assert.equal(response.statusCode, 200, response.body);
    return response.json<{ result: unknown }>().result;
  };
}

const codeOf = (name: string): FormData =>
  toForm({ ...FORM, modules: { 'index.js': `export default { name: '${name}' }` } });

describe('versions and deployments', () => {
  it('tell who made them: the name of the token', async () => {
    await using control = await openTestControl();
    const ann = await as(control, 'Ann');
    const ben = await as(control, 'Ben of "CI"');
    await ann('PUT', SCRIPT, codeOf('one'));
    await ben('PUT', `${SCRIPT}/secrets`, { name: 'A', text: 'x' });
    await ann('POST', `${SCRIPT}/versions`, codeOf('two'));
    await ben('PATCH', '/client/v4/accounts/main/workers/workers/hello/versions/latest', { env: { A: { text: 'y' } } });
    const { items } = (await ann('GET', `${SCRIPT}/versions`)) as {
      items: { id: string; metadata: { author_email: string; author_id: string } }[];
    };
    assert.deepEqual(
      items.map(({ metadata }) => [metadata.author_email, metadata.author_id]),
      ['Ben of "CI"', 'Ann', 'Ben of "CI"', 'Ann'].map((name) => [name, name]),
    );
    await control.request('POST', '/workers/scripts/hello/deployments', {
      versions: [{ version_id: items[1]!.id, percentage: 100 }],
    });
    await ann('POST', `${SCRIPT}/isola/rollback`, { force: true });
    const { deployments } = (await ann('GET', `${SCRIPT}/deployments`)) as { deployments: { author_email: string }[] };
    assert.deepEqual(
      deployments.map(({ author_email }) => author_email),
      ['Ann', 'operator', 'Ben of "CI"', 'Ann'],
    );
  });

  it('made by an import tell it too', async () => {
    await using control = await openTestControl();
    const line = JSON.stringify({ name: 'hello', code: 'export default {}' });
    await control.request('PUT', '/isola/bulk', line);
    const [version] = await control.registry.listVersions('main' as never, 'hello' as never);
    assert.equal(version?.author, 'operator');
  });
});
