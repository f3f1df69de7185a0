/** Accounts and limits: isola's own routes, for the operator. */
import { z } from 'zod';
import { MAX_CPU_MS, MAX_MEMORY_MIB, MAX_SUBREQUESTS, type WorkerLimits } from '../limits.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, toWorkerKey, WorkerParams } from './names.ts';
import { AccountBody, toAccountBody } from './whoami.ts';

const MIN_MEMORY_MIB = 8; // what isolated-vm asks for at least

const NewAccount = z.object({ name: z.string().min(1).max(100).optional() });

const Limits = z.strictObject({
  cpuMs: z.int().min(1).max(MAX_CPU_MS).optional(),
  memoryMiB: z.int().min(MIN_MEMORY_MIB).max(MAX_MEMORY_MIB).optional(),
  subrequests: z.int().min(0).max(MAX_SUBREQUESTS).optional(),
});

const tags = ['Accounts'];

export const registerAccounts: Resource = (app, { registry, accountLimits, now, platform }) => {
  app.put(
    '/accounts/:account/isola/account',
    {
      config: { scope: 'admin', mayBeNewAccount: true },
      schema: {
        summary: 'Makes an account, or renames it',
        tags,
        params: AccountParams,
        body: NewAccount,
        response: { 200: Result(AccountBody) },
      },
    },
    async ({ params, body }) => {
      const id = params.account;
      const existing = await registry.account(id);
      const account = await registry.putAccount({
        id,
        name: body.name ?? existing?.name ?? id,
        createdOn: new Date(now()).toISOString(),
      });
      if (existing === undefined && accountLimits !== undefined) {
        await registry.setAccountLimits(id, accountLimits);
      }
      return ok(toAccountBody(account));
    },
  );

  // Replaces what was set. What runs finishes with the old limits; the next request has the new ones.
  app.put(
    '/accounts/:account/isola/limits',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Sets limits of all Workers of an account',
        tags,
        params: AccountParams,
        body: Limits,
        response: { 200: Result(Limits) },
      },
    },
    async ({ params, body }) => {
      const { limits } = await registry.setAccountLimits(params.account, toLimits(body));
      await platform.reload(params.account, undefined);
      return ok(limits);
    },
  );

  app.put(
    '/accounts/:account/workers/scripts/:name/isola/limits',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'Sets limits of one Worker',
        tags,
        params: WorkerParams,
        body: Limits,
        response: { 200: Result(Limits) },
      },
    },
    async ({ params, body }) => {
      const { account, worker } = toWorkerKey(params);
      const modifiedOn = new Date(now()).toISOString();
      const { limits } = await registry.updateWorker(account, worker, { limits: toLimits(body), modifiedOn });
      await platform.reload(account, worker);
      return ok(limits);
    },
  );
};

function toLimits(parsed: z.output<typeof Limits>): Partial<WorkerLimits> {
  const present = Object.entries(parsed).filter(([, value]) => value !== undefined);
  return Object.fromEntries(present) as Partial<WorkerLimits>;
}
