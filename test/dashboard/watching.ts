/** Answers of the routes that watch, made up: what they say is compared with what the pages show. */
import type { Page } from 'playwright-core';

export const HOSTILE = `<img src=x onerror="document.title='owned'">`;

const MIB = 1_048_576;
const MINUTE_MS = 60_000;
const NOW = Date.UTC(2026, 10, 30, 12);

const isolate = (worker: string, account: string, memoryMib: number, cpuUs: number): object => ({
  account,
  worker,
  version: '0fb1c1f0-0000-4000-8000-000000000000',
  memory_bytes: memoryMib * MIB,
  cpu_us_last_second: cpuUs,
  requests_last_second: Math.ceil(cpuUs / 5_000),
  idle_ms: cpuUs > 0 ? 0 : 90_000,
  age_ms: 3_600_000,
});

const CELLS = [0, 1].map((cell) => ({
  id: String(cell),
  pid: 4_000 + cell,
  cordon: 'default',
  started_at: new Date(NOW - 7_200_000).toISOString(),
  memory_bytes: 320 * MIB,
  spares: 6,
  instances: 32,
  evicted_total: 3,
  isolates: [
    isolate(cell === 0 ? 'hot' : HOSTILE, 'main', 12, 700_000),
    isolate('warm', 'acme', 6, 120_000),
    ...Array.from({ length: 30 }, (_, index) =>
      isolate(`quiet-${index}`, 'acme', 1 + (index % 5), index % 3 ? 0 : 4_000),
    ),
  ],
  events: [
    { kind: 'evicted', account: 'acme', worker: 'sleepy', at: new Date(NOW - MINUTE_MS).toISOString() },
    { kind: 'quarantined', account: 'main', worker: 'crashes', at: new Date(NOW - 2 * MINUTE_MS).toISOString() },
  ],
}));

const row = (minute: number): object => ({
  time: new Date(NOW - minute * MINUTE_MS).toISOString(),
  worker: minute % 2 ? 'hot' : HOSTILE,
  requests: 100 + ((minute * 37) % 80),
  errors: minute % 5,
  cpu_us: 250_000 + ((minute * 7_919) % 90_000),
  start_cpu_us: 4_000,
  wall_us: 900_000,
  wall_ms_1: 900,
  wall_ms_100: 10_000,
  bytes_in: 1_000,
  bytes_out: 64_000,
  subrequests: 3,
  cold_starts: minute % 7 === 0 ? 1 : 0,
  outcomes: { ok: 100 },
});

export const USAGE = {
  account_id: 'main',
  by: 'minute',
  since: new Date(NOW - 59 * MINUTE_MS).toISOString(),
  until: new Date(NOW + 1).toISOString(),
  rows: Array.from({ length: 60 }, (_, minute) => row(minute)),
  totals: { ...row(0), requests: 8_123, errors: 120 },
};

const COST = {
  plan: 'cpu',
  plan_title: 'CPU time',
  currency: 'USD',
  total: '0.50',
  formula: '1,000,000 requests × $0.30/million',
  lines: [
    {
      item: 'requests',
      unit: 'requests',
      quantity: '1000000',
      included: '0',
      unit_price: '0.30',
      per: 1_000_000,
      amount: '0.30',
    },
    {
      item: 'cpu_ms',
      unit: 'CPU-ms',
      quantity: '10000000',
      included: '0',
      unit_price: '0.02',
      per: 1_000_000,
      amount: '0.20',
    },
  ],
  compare: [
    {
      plan: 'duration',
      plan_title: 'By duration',
      currency: 'USD',
      total: '1.84',
      formula: '1,000,000 × 0.128 GB × 0.1 s',
    },
  ],
};

const LOGS = [
  {
    id: '2',
    ray: 'ray2',
    worker: 'hot',
    version: '0fb1c1f0-0000-4000-8000-000000000000',
    event: 'fetch',
    outcome: 'exception',
    at: new Date(NOW).toISOString(),
    status: 500,
    method: 'GET',
    url: 'http://hot.main.localhost/shop',
    cpu_us: 1_200,
    wall_ms: 8,
    logs: [{ level: 'log', at: new Date(NOW).toISOString(), message: HOSTILE }],
    exceptions: [{ name: 'TypeError', message: 'cart is undefined', stack: '    at fetch (index.js:3:9)' }],
  },
];

/** From now on, whether or not the server has these routes. */
export async function fakeWatching(page: Page): Promise<void> {
  const answers: readonly (readonly [pattern: RegExp, result: unknown])[] = [
    [/\/isola\/cells$/, CELLS],
    [/\/isola\/usage\?/, USAGE],
    [/\/isola\/cost\?/, COST],
    [/\/isola\/logs\?/, LOGS],
  ];
  for (const [pattern, result] of answers) {
    await page.route(pattern, (route) =>
      route.fulfill({
        json: { success: true, errors: [], messages: [], result, result_info: { count: 1, cursor: '' } },
      }),
    );
  }
}
