/** For the bench alone, which compares one and the same platform with metering and without. */

/** A variable of the environment: what is used is then counted in some turns only. Nobody who bills sets it. */
export const METERING_TURNS = 'ISOLA_BENCH_METERING_TURNS';
export const METERING_TURN_MS = 2_000;

/** All as it is; no usage is counted; nor is any record sent. */
export type MeteringTurn = 'all' | 'unmetered' | 'unrecorded';
export const METERING_TURN_ORDER = ['all', 'unmetered', 'unrecorded'] as const satisfies readonly MeteringTurn[];

/** By the wall clock, which bench and cells share. */
export function meteringTurnAt(nowMs: number): MeteringTurn {
  return METERING_TURN_ORDER[Math.floor(nowMs / METERING_TURN_MS) % METERING_TURN_ORDER.length] ?? 'all';
}

/** Calls `set` with the beginning of each turn, for as long as the process lives. */
export function takeMeteringTurns(set: (turn: MeteringTurn) => void): void {
  const now = Date.now();
  set(meteringTurnAt(now));
  setTimeout(() => takeMeteringTurns(set), METERING_TURN_MS - (now % METERING_TURN_MS)).unref();
}
