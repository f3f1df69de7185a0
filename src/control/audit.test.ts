import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditLog } from '../store/index.ts';
import { openTestControl } from './testing.ts';

const NOW = Date.parse('2026-06-01');

describe('the audit log', () => {
  it('has who, what, when and from where for each change, and how it was answered', async () => {
    await using control = await openTestControl({ now: () => NOW });
    await control.upload('/workers/scripts/hello', {});
    await control.request('GET', '/workers/scripts');
    await control.request('POST', '/workers/scripts/hello/subdomain', { enabled: false });
    await control.request('DELETE', '/workers/scripts/nothing');
    const entries = await control.audit.list();
    assert.deepEqual(
      entries.map(({ action, target, status }) => [action, target, status]),
      [
        ['DELETE /workers/scripts/:name', 'nothing', 404],
        ['POST /workers/scripts/:name/subdomain', 'hello', 200],
        ['PUT /workers/scripts/:name', 'hello', 200],
      ],
    );
    const [{ actor, tokenId, account, ip, at } = {} as never] = entries;
    assert.deepEqual([actor, tokenId, account, ip, at], ['operator', 'operator', 'main', '127.0.0.1', NOW]);
  });

  it('is written before the change: without an entry there is none', async () => {
    const broken = { begin: () => Promise.reject(new Error('disk full')), end: () => {} } as unknown as AuditLog;
    await using control = await openTestControl({ audit: broken });
    const { status, errors } = await control.upload('/workers/scripts/hello', {});
    assert.deepEqual([status, errors[0]?.code], [500, 10013]);
    assert.equal((await control.registry.listWorkers('main' as never)).total, 0);
  });

  it('has nothing of a request that is refused before it is tried', async () => {
    await using control = await openTestControl();
    await control.request('POST', '/workers/scripts/hello/deployments', { versions: 'none' });
    await control.request('POST', '/nowhere', {});
    await control.app.inject({ method: 'DELETE', url: '/client/v4/accounts/main/workers/scripts/hello' });
    assert.deepEqual(await control.audit.list(), []);
  });
});
