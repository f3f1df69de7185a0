/** Accounts and limits: isola's own routes, for the operator. */
import { z } from 'zod';
import { MAX_CPU_MS, MAX_MEMORY_MIB, MAX_SUBREQUESTS, type WorkerLimits } from '../limits.ts';
import { readJson } from './body.ts';
import type { Resource } from './context.ts';
import { ok } from './envelope.ts';
import { accountOf, workerOf } from './names.ts';
import { toAccountBody } from './whoami.ts';

const MIN_MEMORY_MIB = 8; // what isolated-vm asks for at least

const NewAccount = z.object({ name: z.string().min(1).max(100).optional() });

const Limits = z.strictObject({
  cpuMs: z.int().min(1).max(MAX_CPU_MS).optional(),
  memoryMiB: z.int().min(MIN_MEMORY_MIB).max(MAX_MEMORY_MIB).optional(),
  subrequests: z.int().min(0).max(MAX_SUBREQUESTS).optional(),
});

export const registerAccounts: Resource = (app, { registry, accountLimits, now, platform }) => {
  app.put('/accounts/:account/isola/account', { config: { mayBeNewAccount: true } }, async (request) => {
    const id = accountOf(request);
    const { name } = await readJson(request, NewAccount);
    const existing = await registry.account(id);
    const account = await registry.putAccount({
      id,
      name: name ?? existing?.name ?? id,
      createdOn: new Date(now()).toISOString(),
    });
    if (existing === undefined && accountLimits !== undefined) {
      await registry.setAccountLimits(id, accountLimits);
    }
    return ok(toAccountBody(account));
  });

  // Replaces what was set. What runs finishes with the old limits; the next request has the new ones.
  app.put('/accounts/:account/isola/limits', async (request) => {
    const limits = toLimits(await readJson(request, Limits));
    const account = accountOf(request);
    const { limits: set } = await registry.setAccountLimits(account, limits);
    await platform.reload(account, undefined);
    return ok(set);
  });

  app.put('/accounts/:account/workers/scripts/:name/isola/limits', async (request) => {
    const { account, worker } = workerOf(request);
    const limits = toLimits(await readJson(request, Limits));
    const modifiedOn = new Date(now()).toISOString();
    const { limits: set } = await registry.updateWorker(account, worker, { limits, modifiedOn });
    await platform.reload(account, worker);
    return ok(set);
  });
};

function toLimits(parsed: z.output<typeof Limits>): Partial<WorkerLimits> {
  const present = Object.entries(parsed).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<WorkerLimits>;
}
