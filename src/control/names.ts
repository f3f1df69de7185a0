/** What paths and queries may hold: schemas of their parameters, and names that come in by other ways. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';

/** Names a Worker, of all accounts. */
export interface WorkerKey {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

const ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const WORKER = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/; // like an account's, and with underscores
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const MAX_VERSION_CHARS = 512; // longer than any id, so that one that is wrong is refused as such

const Account = named<AccountId>(
  ACCOUNT,
  (value) => `Bad account id ${value}: it must be 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`,
);
const Worker = named<WorkerName>(
  WORKER,
  (value) => `Bad Worker name ${value}: it must be 1 to 63 of a-z, 0-9, - and _, not beginning or ending with -`,
);

export const AccountParams = z.object({ account: Account });
export const WorkerParams = z.object({ account: Account, name: Worker });
export const VersionParams = z.object({ ...WorkerParams.shape, version: z.string().max(MAX_VERSION_CHARS) });

/** The parameters of `WorkerParams` as the rest of the program calls them. */
export function toWorkerKey({ account, name }: z.output<typeof WorkerParams>): WorkerKey {
  return { account, worker: name };
}

export function parseAccountId(value: string): AccountId {
  return parseName(Account, value);
}

export function parseWorkerName(value: string): WorkerName {
  return parseName(Worker, value);
}

/** Of any case, since it may have been typed in. */
export function parseVersionId(value: string): VersionId {
  const lower = value.toLowerCase();
  if (UUID.test(lower)) return lower as VersionId;
  throw new PlatformError('versionNotFound', `There is no version ${quote(value)}: ids are UUIDs`);
}

/** A parameter of the path as it came, or ''. */
export function param(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>> | undefined)?.[name] ?? '';
}

function named<Name extends string>(pattern: RegExp, describe: (value: string) => string): z.ZodType<Name, string> {
  const schema = z.string().regex(pattern, { error: ({ input }) => describe(quote(String(input))) });
  return schema as unknown as z.ZodType<Name, string>;
}

function parseName<Name extends string>(schema: z.ZodType<Name, string>, value: string): Name {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new PlatformError('badRequest', parsed.error.issues[0]!.message);
}

function quote(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}
