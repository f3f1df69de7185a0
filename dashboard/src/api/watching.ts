/** What the API answers about use: cells, usage, cost, logs. */
export interface Isolate {
  readonly account: string;
  readonly worker: string;
  readonly version: string;
  readonly memory_bytes: number;
  readonly cpu_us_last_second: number;
  readonly requests_last_second: number;
  readonly idle_ms: number;
  readonly age_ms: number;
}

export interface CellEvent {
  readonly kind: 'evicted' | 'quarantined' | 'restarted';
  readonly account?: string;
  readonly worker?: string;
  readonly at: string;
}

/** Customers see no more than what is theirs: the rest is missing. */
export interface Cell {
  readonly id: string;
  readonly cordon: string;
  readonly started_at: string;
  readonly isolates: readonly Isolate[];
  readonly events: readonly CellEvent[];
  readonly pid?: number | null;
  readonly memory_bytes?: number;
  readonly spares?: number;
  readonly instances?: number;
  readonly evicted_total?: number;
}

export interface UsageTotals {
  readonly requests: number;
  readonly errors: number;
  readonly cpu_us: number;
  readonly start_cpu_us: number;
  readonly wall_us: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly subrequests: number;
  readonly cold_starts: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface UsageRow extends UsageTotals {
  readonly time: string;
  readonly worker: string;
}

export type UsageStep = 'minute' | 'hour' | 'day' | 'month';

export interface Usage {
  readonly by: UsageStep;
  readonly since: string;
  readonly until: string;
  readonly rows: readonly UsageRow[];
  readonly totals: UsageTotals;
}

export interface CostLine {
  readonly item: string;
  readonly unit?: string;
  readonly quantity: string;
  readonly included: string;
  readonly unit_price: string;
  readonly per?: number;
  readonly amount: string;
}

export interface PlanTotal {
  readonly plan: string;
  readonly plan_title?: string;
  readonly currency?: string;
  readonly total: string;
  readonly formula: string;
}

export interface Cost extends PlanTotal {
  readonly lines: readonly CostLine[];
  readonly compare: readonly PlanTotal[];
}

export interface LogEntry {
  readonly id?: string;
  readonly ray: string;
  readonly worker: string;
  readonly version: string;
  readonly event: string;
  readonly outcome: string;
  readonly at: string;
  readonly status: number;
  readonly method?: string;
  readonly url?: string;
  readonly cron?: string;
  readonly cpu_us: number;
  readonly wall_ms: number;
  readonly logs: readonly { readonly level: string; readonly at: string; readonly message: string }[];
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack?: string }[];
}
