/** Figures by measure and peer, goals, and the table of both. */
export const PEER_NAMES = [
  'isola',
  'unmetered',
  'unrecorded',
  'unconfined',
  'workerd',
  'node:http',
  'process per tenant',
  'node',
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

export interface Goal {
  /** What has to stay small, e.g. `≤ 0.4 × workerd`, or be reached. */
  readonly text: string;
  /** The figure that counts: isola's own, or its ratio to a peer's. Undefined or NaN: could not be measured. */
  readonly value: number | undefined;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Row {
  readonly label: string;
  readonly unit: string;
  readonly values: Readonly<Partial<Record<PeerName, number>>>;
  readonly goals: readonly Goal[];
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly rows: readonly Row[];
  /** Why the measure ended early, if it did. */
  readonly error?: string;
}

export type Verdict = 'met' | 'missed' | 'not measured';

export function verdict({ value, atMost = Number.POSITIVE_INFINITY, atLeast = 0 }: Goal): Verdict {
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  return value <= atMost && value >= atLeast ? 'met' : 'missed';
}

/** A row; `goals` may be left out. */
export function row(label: string, unit: string, values: Row['values'], goals: readonly Goal[] = []): Row {
  return { label, unit, values, goals };
}

/** isola's figure itself must not pass `limit`. */
export function atMost(limit: number, unit: string, value: number | undefined): Goal {
  return { text: `≤ ${limit}${unit === '' ? '' : ` ${unit}`}`, value, atMost: limit };
}

/** isola's figure itself must reach `limit`. */
export function atLeast(limit: number, unit: string, value: number | undefined): Goal {
  return { text: `≥ ${limit}${unit === '' ? '' : ` ${unit}`}`, value, atLeast: limit };
}

/** isola's figure must not pass `limit` times a peer's. */
export function atMostTimes(limit: number, peer: PeerName, values: Row['values']): Goal {
  return { text: `≤ ${limit} × ${peer}`, value: ratio(peer, values), atMost: limit };
}

/** isola's figure must reach `limit` times a peer's. */
export function atLeastTimes(limit: number, peer: PeerName, values: Row['values']): Goal {
  return { text: `≥ ${limit} × ${peer}`, value: ratio(peer, values), atLeast: limit };
}

function ratio(peer: PeerName, values: Row['values']): number | undefined {
  const own = values.isola;
  const other = values[peer];
  return own === undefined || other === undefined ? undefined : own / other;
}

export function toTable(sections: readonly Section[]): string {
  return sections.map(toSectionText).join('\n\n');
}

function toSectionText({ id, title, rows, error }: Section): string {
  const peers = PEER_NAMES.filter((peer) => rows.some(({ values }) => values[peer] !== undefined));
  const cells = [
    ['', ...peers, 'unit', 'goal'],
    ...rows.map(({ label, unit, values, goals }) => [
      label,
      ...peers.map((peer) => format(values[peer])),
      unit,
      goals.map((goal) => `${goal.text}: ${format(goal.value)} ${verdict(goal).toUpperCase()}`).join('; '),
    ]),
  ];
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0))) ?? [];
  const isText = (column: number): boolean => column === 0 || column > peers.length;
  const lines = cells.map((line) =>
    line
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const failure = error === undefined ? [] : [`  ENDED EARLY: ${error.trim().replaceAll('\n', '\n    ')}`];
  return [`${id}. ${title}`, ...lines.map((line) => `  ${line}`), ...failure].join('\n');
}

function format(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–';
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
