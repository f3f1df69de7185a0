/**
 * The text format of Prometheus, version 0.0.4. Ours are sums that other processes have made already, histograms
 * included, which libraries of metrics want to count themselves.
 */
export type Labels = Readonly<Record<string, string>>;
export type MetricKind = 'counter' | 'gauge' | 'histogram';

export class Exposition {
  readonly #lines: string[] = [];

  /** Begins a metric; its samples follow. */
  metric(name: string, kind: MetricKind, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
  }

  sample(name: string, labels: Labels, value: number): void {
    this.#lines.push(`${name}${toLabels(labels)} ${value}`);
  }

  /** `counts`: per bucket, one more than there are bounds. */
  histogram(
    name: string,
    labels: Labels,
    { bounds, counts, sum }: { bounds: readonly number[]; counts: readonly number[]; sum: number },
  ): void {
    let below = 0;
    for (const [index, count] of counts.entries()) {
      below += count;
      const bound = bounds[index];
      this.sample(`${name}_bucket`, { ...labels, le: bound === undefined ? '+Inf' : String(bound) }, below);
    }
    this.sample(`${name}_sum`, labels, sum);
    this.sample(`${name}_count`, labels, below);
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }
}

function toLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
