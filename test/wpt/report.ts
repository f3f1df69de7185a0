/** docs/conformance.md: a row for each area, out of the expectations and of Node's scores. */
import { AREAS, areaOf } from './areas.ts';
import { countPasses, type Expectations } from './expectations.ts';

export interface Score {
  readonly passes: number;
  readonly total: number;
}

/** Node's scores, by area. */
export interface NodeScores {
  readonly version: string;
  readonly areas: Readonly<Record<string, Score>>;
}

/** Scores by area, in the order of the table. */
export function toScores(expectations: Expectations): Map<string, Score> {
  const scores = new Map<string, Score>();
  for (const { name } of AREAS) scores.set(name, { passes: 0, total: 0 });
  for (const [id, expectation] of Object.entries(expectations)) {
    const name = areaOf(id)?.name;
    const before = name === undefined ? undefined : scores.get(name);
    if (name === undefined || before === undefined) continue;
    const { passes, total } = countPasses(expectation);
    scores.set(name, { passes: before.passes + passes, total: before.total + total });
  }
  return scores;
}

export function toReport(expectations: Expectations, node: NodeScores): string {
  const rows = [...toScores(expectations)].map(([name, score]) => [name, show(score), show(node.areas[name])]);
  const sum = (scores: Iterable<Score>): Score => {
    let [passes, total] = [0, 0];
    for (const score of scores) [passes, total] = [passes + score.passes, total + score.total];
    return { passes, total };
  };
  rows.push(['all', show(sum(toScores(expectations).values())), show(sum(Object.values(node.areas)))]);
  return `# Conformance

How the Web platform inside an isolate does in [web-platform-tests](https://github.com/web-platform-tests/wpt), beside
Node ${node.version}, which runs the same files by the same runner. Figures are tests passed, of tests there are; what
befalls a file as a whole counts as one more. \`test/wpt/expectations.json\` names each test that does not pass.

${toTable(['area', 'isola', 'Node'], rows)}

Scored are the \`.any.js\` files that can run in a worker. Each runs in an isolate of its own, made as for a tenant's
Worker; a small server in \`test/wpt/\` stands for \`wpt serve\`, without TLS and HTTP/2.

    npm run wpt -- --dir <checkout>            runs them and compares
    npm run wpt -- --dir <checkout> --update   writes the expectations and this page
    npm run wpt -- --dir <checkout> --node     scores Node, for the last column

A test that fails where it used to pass fails the run, and so does one that passes where it used to fail.

Tests are classic scripts with an address, so the runner gives them what no Worker has: \`eval\`, and a base for relative
URLs. Before \`idlharness\` runs, each global is looked at once: what is loaded on first use is an accessor until then.

## Different on purpose

As in Workers, and unlike in a page:

- \`redirect: 'manual'\` gives the redirect itself, with its status and \`Location\`.
- A request may have any header, \`Cookie\` and \`Origin\` among them, and \`mode: 'no-cors'\` does not restrict them.
- A body that is a stream needs no \`duplex\`.
- There is no HTTP cache between \`fetch\` and the network, and there are no cookies.
- There is no \`XMLHttpRequest\`, \`FileReader\` or \`WorkerGlobalScope\`.
`;
}

function show(score: Score | undefined): string {
  return score === undefined || score.total === 0 ? '' : `${score.passes} / ${score.total}`;
}

/** Columns padded, as the formatter wants them. */
function toTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
