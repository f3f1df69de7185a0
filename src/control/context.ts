/** What every resource of the control API works with. */
import type { FastifyInstance } from 'fastify';
import type { WorkerLimits } from '../limits.ts';
import type { SourceMapper } from '../source-maps/index.ts';
import type { Blobs, Registry } from '../store/index.ts';
import type { Tokens } from './auth.ts';
import type { ControlPlatform } from './platform.ts';
import type { Releases } from './releases.ts';

export type ControlLog = (
  level: 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

export interface ControlDeps {
  readonly registry: Registry;
  readonly blobs: Blobs;
  readonly platform: ControlPlatform;
  /** For errors of uploads that do not start. */
  readonly mapper: Pick<SourceMapper, 'map'>;
  readonly tokens: Tokens;
  /** Limits that an account made through the API begins with. */
  readonly accountLimits?: Partial<WorkerLimits>;
  /** Workers answer at `http://<worker>.<account>.<baseDomain>:<gatewayPort>`. */
  readonly baseDomain: string;
  readonly gatewayPort: number;
  readonly log: ControlLog;
  /** ms since 1970. */
  readonly now: () => number;
  readonly randomUUID: () => string;
}

export interface ControlContext extends ControlDeps {
  readonly releases: Releases;
}

/** Adds one resource's routes. */
export type Resource = (app: FastifyInstance, context: ControlContext) => void;
