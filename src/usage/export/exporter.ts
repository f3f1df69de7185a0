/** The port to a system that bills: it is told readings, each once. */

export const METERS = ['requests', 'cpu_ms'] as const;
export type Meter = (typeof METERS)[number];

export interface Reading {
  /** The same whenever it is sent again: whoever has taken it takes it no second time. */
  readonly identifier: string;
  /** Who is to pay, as the other system calls him. */
  readonly customer: string;
  readonly meter: Meter;
  /** What has been added since the reading before. */
  readonly value: number;
  /** s since 1970. */
  readonly at: number;
}

/**
 * `refused`: not taken, because of what it says. `unavailable`: not taken, and no other would be. `unknown`: it may have
 * been taken. Reasons are safe to show.
 */
export type Delivery =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'refused' | 'unavailable' | 'unknown'; readonly reason: string };

export interface UsageExporter {
  /** How long the other side knows an identifier again. */
  readonly identifiersKeptMs: number;
  send(reading: Reading, signal: AbortSignal): Promise<Delivery>;
}
