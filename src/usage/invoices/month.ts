/** Months as bills name them: `2026-11`, in UTC. */
const MONTH = /^(\d{4})-(0[1-9]|1[0-2])$/;

export interface Month {
  readonly name: string;
  /** ms since 1970: the first of the month, and of the next. */
  readonly since: number;
  readonly until: number;
}

/** The one in which `time` is, ms since 1970. */
export function toMonth(time: number): Month {
  const date = new Date(time);
  const [year, index] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { name: date.toISOString().slice(0, 7), since: Date.UTC(year, index), until: Date.UTC(year, index + 1) };
}

export function parseMonth(name: string): Month | undefined {
  const [, year, number] = MONTH.exec(name) ?? [];
  if (year === undefined || number === undefined) return undefined;
  const index = Number(number) - 1;
  return { name, since: Date.UTC(Number(year), index), until: Date.UTC(Number(year), index + 1) };
}
