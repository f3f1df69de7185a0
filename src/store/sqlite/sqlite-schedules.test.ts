import { schedulesContract } from '../schedules-contract.ts';
import { addWorker } from '../testing.ts';
import { openSqliteStores } from './stores.ts';

schedulesContract('SqliteSchedules', async () => {
  const stores = openSqliteStores(':memory:');
  const { registry, schedules } = stores;
  return {
    schedules,
    addWorker: (account, worker) => addWorker(registry, account, worker),
    async deleteWorker(account, worker) {
      await registry.deleteWorker(account, worker);
    },
    [Symbol.asyncDispose]: () => stores.close(),
  };
});
