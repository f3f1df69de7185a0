import type { Seal } from '../../src/cell/index.ts';

/** What the drill tells its intruder. */
export interface Orders {
  readonly seal: Seal;
  /** A file that only the operator's user can read. */
  readonly secret: string;
  /** The beginning of paths that can be written by anybody. */
  readonly writable: string;
  /** Where a service listens on the loopback, and on an abstract socket. */
  readonly port: number;
  readonly abstract: string;
  /** PIDs of the operator's user. */
  readonly supervisor: number;
  readonly victim: number;
}
