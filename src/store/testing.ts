/** For tests of what belongs to a Worker: accounts and Workers that are there, and nothing more. */
import { randomUUID } from 'node:crypto';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Registry } from './registry.ts';

const CREATED_ON = '2026-11-21T12:00:00.000Z';

/** Makes the account, when there is none, and the Worker in it, with one version that is not deployed. */
export async function addWorker(registry: Registry, account: AccountId, worker: WorkerName): Promise<void> {
  if ((await registry.account(account)) === undefined) {
    await registry.putAccount({ id: account, name: account, createdOn: CREATED_ON });
  }
  const spec = {
    id: randomUUID() as string as VersionId,
    account,
    worker,
    tag: '',
    createdOn: CREATED_ON,
    mainModule: 'index.js',
    bindings: [],
    compatibilityDate: '2026-01-01',
    compatibilityFlags: [],
  };
  await registry.createVersion(
    {
      spec,
      limits: {},
      modules: [],
      sourceMaps: [],
      annotations: {},
      startupMs: 1,
      handlers: ['scheduled'],
      etag: '',
      source: 'api',
    },
    { createWorker: { tag: randomUUID(), subdomainEnabled: false } },
  );
}
