/** Path parameters, parsed. */
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../errors.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';

const ACCOUNT = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const WORKER = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/; // like an account's, and with underscores
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export function parseAccountId(value: string): AccountId {
  if (ACCOUNT.test(value)) return value as AccountId;
  throw new PlatformError(
    'badRequest',
    `Bad account id ${quote(value)}: it must be 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`,
  );
}

export function parseWorkerName(value: string): WorkerName {
  if (WORKER.test(value)) return value as WorkerName;
  throw new PlatformError(
    'badRequest',
    `Bad Worker name ${quote(value)}: it must be 1 to 63 of a-z, 0-9, - and _, not beginning or ending with -`,
  );
}

/** Of any case, since it may have been typed in. */
export function parseVersionId(value: string): VersionId {
  const lower = value.toLowerCase();
  if (UUID.test(lower)) return lower as VersionId;
  throw new PlatformError('versionNotFound', `There is no version ${quote(value)}: ids are UUIDs`);
}

export function accountOf(request: FastifyRequest): AccountId {
  return parseAccountId(param(request, 'account'));
}

export function workerOf(request: FastifyRequest): { account: AccountId; worker: WorkerName } {
  return { account: accountOf(request), worker: parseWorkerName(param(request, 'name')) };
}

export function param(request: FastifyRequest, name: string): string {
  return (request.params as Readonly<Record<string, string>>)[name] ?? '';
}

/** A query parameter's only or first value. */
export function query(request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Readonly<Record<string, string | string[]>>)[name];
  return Array.isArray(value) ? value[0] : value;
}

function quote(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}
