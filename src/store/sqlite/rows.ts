/** Rows of the database to records of the port and back. */
import type { SQLOutputValue } from 'node:sqlite';
import type { AccountId, VersionId, WorkerName } from '../../ids.ts';
import { resolveLimits, type WorkerLimits } from '../../limits.ts';
import type { Route } from '../../model.ts';
import type {
  Account,
  AccountSettings,
  AccountStatus,
  DeploymentDraft,
  DeploymentRecord,
  VersionDraft,
  VersionRecord,
  WorkerRecord,
  WorkerSettings,
} from '../registry.ts';
import type { DataKeyId } from '../secret-keys.ts';

export type Row = Record<string, SQLOutputValue>;

export function toAccount(row: Row): Account {
  return {
    id: row['id'] as AccountId,
    name: row['name'] as string,
    createdOn: toIsoTime(row['created_on']),
    status: row['status'] as AccountStatus,
    limits: parseLimits(row['limits']),
    settings: typeof row['settings'] === 'string' ? (JSON.parse(row['settings']) as AccountSettings) : {},
  };
}

export function toWorker(row: Row): WorkerRecord {
  return {
    account: row['account'] as AccountId,
    name: row['name'] as WorkerName,
    tag: row['tag'] as string,
    createdOn: toIsoTime(row['created_on']),
    modifiedOn: toIsoTime(row['modified_on']),
    settings: JSON.parse(row['settings'] as string) as WorkerSettings,
    limits: parseLimits(row['limits']),
  };
}

/** What the `record` column of a version holds: everything that has no column of its own. */
export function toVersionJson(draft: VersionDraft): string {
  const { id: _id, account: _account, worker: _worker, createdOn: _createdOn, ...spec } = draft.spec;
  const { secretsKey: _key, ...rest } = draft;
  return JSON.stringify({ ...rest, spec });
}

/** Takes the Worker's and the account's limits from the joined row. */
export function toVersion(row: Row): VersionRecord {
  const { spec, ...rest } = JSON.parse(row['record'] as string) as VersionDraft;
  return {
    ...rest,
    number: row['number'] as number,
    ...(typeof row['secrets_key'] === 'string' && { secretsKey: row['secrets_key'] as DataKeyId }),
    spec: {
      ...spec,
      id: row['id'] as VersionId,
      account: row['account'] as AccountId,
      worker: row['worker_name'] as WorkerName,
      createdOn: toIsoTime(row['created_on']),
      limits: resolveLimits(parseLimits(row['account_limits']), rest.limits, parseLimits(row['worker_limits'])),
    },
  };
}

export function toDeploymentJson(draft: DeploymentDraft): string {
  const { id: _id, createdOn: _createdOn, ...rest } = draft;
  return JSON.stringify(rest);
}

export function toDeployment(row: Row): DeploymentRecord {
  const rest = JSON.parse(row['record'] as string) as Omit<DeploymentDraft, 'id' | 'createdOn'>;
  return { ...rest, id: row['id'] as string, createdOn: toIsoTime(row['created_on']) };
}

type RouteValue = Pick<Route, 'shares' | 'hidden' | 'previews'>;

export function toRouteJson({ shares, hidden, previews }: RouteValue): string {
  return JSON.stringify({ shares, ...(hidden === true && { hidden }), ...(previews === true && { previews }) });
}

export function toRoute(row: Row): Route {
  const value = JSON.parse(row['route'] as string) as RouteValue;
  return { account: row['account'] as AccountId, worker: row['worker'] as WorkerName, ...value };
}

export function toMs(isoTime: string): number {
  const ms = Date.parse(isoTime);
  if (Number.isNaN(ms)) throw new Error(`Not a time: ${isoTime}`);
  return ms;
}

export function toLimitsJson(limits: Partial<WorkerLimits>): string | null {
  return Object.keys(limits).length === 0 ? null : JSON.stringify(limits);
}

export function toIsoTime(ms: SQLOutputValue | undefined): string {
  return new Date(Number(ms)).toISOString();
}

function parseLimits(json: SQLOutputValue | undefined): Partial<WorkerLimits> {
  return typeof json === 'string' ? (JSON.parse(json) as Partial<WorkerLimits>) : {};
}
