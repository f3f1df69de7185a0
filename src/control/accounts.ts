/** Accounts and limits: isola's own routes, for the operator. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { AccountId } from '../ids.ts';
import { MAX_CPU_MS, MAX_MEMORY_MIB, MAX_SUBREQUESTS, MAX_WASM_BINARY_MIB, type WorkerLimits } from '../limits.ts';
import type { Account } from '../store/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, toWorkerKey, WorkerParams } from './names.ts';
import { AccountBody, toAccountBody } from './whoami.ts';

const MIN_MEMORY_MIB = 8; // what isolated-vm asks for at least

const NewAccount = z.object({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{C}+$/u, 'must not contain control characters')
    .optional(),
});

const Limits = z.strictObject({
  cpuMs: z.int().min(1).max(MAX_CPU_MS).optional(),
  memoryMiB: z.int().min(MIN_MEMORY_MIB).max(MAX_MEMORY_MIB).optional(),
  subrequests: z.int().min(0).max(MAX_SUBREQUESTS).optional(),
  wasmBinaryMiB: z.int().min(0).max(MAX_WASM_BINARY_MIB).optional(),
});

const tags = ['Accounts'];

export const registerAccounts: Resource = (app, { registry, accountLimits, now, platform, accounts }) => {
  app.post(
    '/accounts/:account/isola/account',
    {
      config: { scope: 'admin', mayBeNewAccount: true, audit: 'account.create' },
      schema: {
        summary: 'Makes an account that is not there yet',
        tags,
        params: AccountParams,
        body: NewAccount,
        response: { 200: Result(AccountBody) },
      },
    },
    async ({ params, body }) => {
      const id = params.account;
      if ((await registry.account(id)) !== undefined) {
        throw new PlatformError('accountExists', `Cannot make account '${id}': there is one of that id`);
      }
      return ok(toAccountBody(await putAccount(id, body.name ?? id)));
    },
  );

  app.put(
    '/accounts/:account/isola/account',
    {
      config: { scope: 'admin', mayBeNewAccount: true, audit: 'account.rename' },
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
      return ok(toAccountBody(await putAccount(id, body.name ?? existing?.name ?? id)));
    },
  );

  app.put(
    '/accounts/:account/isola/status',
    {
      config: { scope: 'admin', audit: 'account.status' },
      schema: {
        summary: 'Suspends an account, or resumes it',
        description:
          'Once a suspension is answered, its Workers answer 403, nothing of it runs, its tokens are refused.',
        tags,
        params: AccountParams,
        body: z.strictObject({ status: z.enum(['active', 'suspended']) }),
        response: { 200: Result(AccountBody) },
      },
    },
    async ({ params, body }) => {
      const { account: id } = params;
      return ok(toAccountBody(await (body.status === 'active' ? accounts.resume(id) : accounts.suspend(id))));
    },
  );

  app.delete(
    '/accounts/:account/isola/account',
    {
      config: { scope: 'admin', audit: 'account.delete' },
      schema: {
        summary: 'Deletes a suspended account with all that is in it',
        tags,
        params: AccountParams,
        querystring: z.object({ force: z.enum(['true', 'false']).default('false') }),
        response: { 200: Result(z.object({ id: z.string() })) },
      },
    },
    async ({ params, query }) => {
      await accounts.delete(params.account, { force: query.force === 'true' });
      return ok({ id: params.account });
    },
  );

  /** Makes it, with the limits that a new one begins with, or renames it. */
  async function putAccount(id: AccountId, name: string): Promise<Account> {
    const isNew = (await registry.account(id)) === undefined;
    const account = await registry.putAccount({ id, name, createdOn: new Date(now()).toISOString() });
    return isNew && accountLimits !== undefined ? await registry.setAccountLimits(id, accountLimits) : account;
  }

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
