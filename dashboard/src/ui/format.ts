/** Quantities and times in words. */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function toBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function toMicros(us: number): string {
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1_000).toFixed(us < 1e5 ? 1 : 0)} ms`;
  return `${(us / 1e6).toFixed(1)} s`;
}

export function toCount(count: number): string {
  return count.toLocaleString('en-US');
}

export function toDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

export function toMessage(error: unknown): string {
  if (error instanceof TypeError) return 'The server does not answer.';
  return error instanceof Error ? error.message : String(error);
}

/** The first characters of a version's id, which wrangler and previews show. */
export function toShortId(id: string): string {
  return id.slice(0, 8);
}

const CORDONS: Readonly<Record<string, string>> = {
  q: 'quarantine of',
  f: 'CPU profile of',
  p: 'own process of',
  t: 'trust level',
};

/** What a cordon is, of its name: `q.acme`. */
export function toCordonTitle(cordon: string): string {
  const [kind = '', whose] = cordon.split(/\.(.*)/s);
  const title = whose === undefined ? undefined : CORDONS[kind];
  return title === undefined ? `${cordon} cordon` : `${title} ${whose}`;
}
