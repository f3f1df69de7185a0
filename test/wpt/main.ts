/**
 * web-platform-tests against this platform: `npm run wpt -- --dir <checkout>`. The suite itself is not part of the
 * repository; any checkout will do. Start at run.ts; page.ts is what runs beside a test, hosts/ where it runs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startProgress } from '../../src/cli/progress.ts';
import { AREAS, areaOf } from './areas.ts';
import { discover } from './discover.ts';
import {
  type Expectation,
  type FileResult,
  findSurprises,
  readExpectations,
  toExpectation,
  writeExpectations,
} from './expectations.ts';
import { ISOLATE, NODE } from './pool.ts';
import { type NodeScores, type Score, toReport } from './report.ts';
import { runTests } from './run.ts';
import { WptServer } from './server.ts';

const EXPECTATIONS = fileURLToPath(new URL('expectations.json', import.meta.url));
const NODE_SCORES = fileURLToPath(new URL('node-scores.json', import.meta.url));
const REPORT = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url));
const MAX_MESSAGE_CHARS = 300;
const MAX_SURPRISES = 200; // shown

const HELP = `Usage: npm run wpt -- --dir CHECKOUT [options]

  --dir DIR      a checkout of web-platform-tests
  --only a,b     only these areas, folders or files; areas:
                 ${AREAS.map(({ name }) => name).join(', ')}
  --jobs N       processes at once (default: cores)
  --verbose      every test that does not pass, with its message, expected or not
  --update       write test/wpt/expectations.json and docs/conformance.md as of this run
  --node         run them in Node itself and write its scores; compares nothing`;

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string' },
      only: { type: 'string' },
      jobs: { type: 'string', default: String(availableParallelism()) },
      verbose: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      node: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help || values.dir === undefined) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  const tests = await discover(values.dir, toPrefixes(values.only));
  if (tests.length === 0) {
    console.error(`No tests in ${values.dir}${values.only === undefined ? '' : ` for --only ${values.only}`}`);
    return 2;
  }
  await using server = await WptServer.start(values.dir);
  const results = new Map<string, FileResult>();
  const startedAt = performance.now();
  using progress = startProgress({ label: values.node ? 'wpt in Node' : 'wpt', total: tests.length });
  await runTests({
    tests,
    server,
    kind: values.node ? NODE : ISOLATE,
    jobs: Number(values.jobs),
    onResult: (result, done) => {
      results.set(result.id, result);
      progress.update(done, result.id);
    },
  });
  progress.stop();
  const ordered = tests.flatMap(({ id }) => results.get(id) ?? []);
  if (values.verbose) printFailures(ordered);
  printScores(ordered);
  console.log(`${tests.length} files in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  if (values.node) return await saveNodeScores(values.dir, ordered);
  return values.update ? await update(ordered, values.only === undefined) : await compare(ordered);
}

/** Areas stand for their folders; everything else is a folder or a file itself. */
function toPrefixes(only: string | undefined): string[] {
  const names = only?.split(',').map((name) => name.trim()) ?? [];
  return names.flatMap((name) => AREAS.find((area) => area.name === name)?.paths ?? [name]);
}

async function compare(results: readonly FileResult[]): Promise<number> {
  const expectations = await readExpectations(EXPECTATIONS);
  const surprises = results.flatMap((result) => findSurprises(result, expectations[result.id]));
  for (const { id, test, what } of surprises.slice(0, MAX_SURPRISES))
    console.log(`✖ ${id}: ${oneLine(test)}: ${oneLine(what)}`);
  if (surprises.length === 0) {
    console.log('✔ as expected');
    return 0;
  }
  console.log(`✖ ${surprises.length} unexpected. When they are right: --update`);
  return 1;
}

/** After a run of everything, expectations for files that are gone go too. */
async function update(results: readonly FileResult[], isComplete: boolean): Promise<number> {
  const before = await readExpectations(EXPECTATIONS);
  const after: Record<string, Expectation> = isComplete ? {} : { ...before };
  for (const result of results) after[result.id] = toExpectation(result, before[result.id]);
  await writeExpectations(EXPECTATIONS, after);
  writeFileSync(REPORT, toReport(after, readNodeScores()));
  console.log(`Written: ${EXPECTATIONS}\nWritten: ${REPORT}`);
  return 0;
}

/** Only areas that were run as a whole are replaced. */
async function saveNodeScores(directory: string, results: readonly FileResult[]): Promise<number> {
  const all = await discover(directory, []);
  const ran = new Set(results.map(({ id }) => id));
  const areas: Record<string, Score> = { ...readNodeScores().areas };
  for (const [name, score] of scoresOf(results)) {
    if (all.every(({ id }) => areaOf(id)?.name !== name || ran.has(id))) areas[name] = score;
  }
  const scores: NodeScores = { version: process.versions.node, areas };
  writeFileSync(NODE_SCORES, `${JSON.stringify(scores, undefined, 2)}\n`);
  writeFileSync(REPORT, toReport(await readExpectations(EXPECTATIONS), scores));
  console.log(`Written: ${NODE_SCORES}`);
  return 0;
}

function readNodeScores(): NodeScores {
  try {
    return JSON.parse(readFileSync(NODE_SCORES, 'utf8')) as NodeScores;
  } catch {
    return { version: process.versions.node, areas: {} };
  }
}

function scoresOf(results: readonly FileResult[]): Map<string, Score> {
  const scores = new Map<string, Score>();
  for (const { id, total, failing } of results) {
    const name = areaOf(id)?.name ?? '';
    const before = scores.get(name) ?? { passes: 0, total: 0 };
    scores.set(name, { passes: before.passes + total - failing.size, total: before.total + total });
  }
  return scores;
}

function printScores(results: readonly FileResult[]): void {
  const scores = scoresOf(results);
  const width = Math.max(...[...scores.keys()].map((name) => name.length));
  const node = readNodeScores().areas;
  for (const [name, { passes, total }] of scores) {
    const other = node[name];
    const beside = other === undefined ? '' : `   Node ${other.passes} / ${other.total}`;
    console.log(`${name.padEnd(width)}  ${passes} / ${total}${beside}`);
  }
}

function printFailures(results: readonly FileResult[]): void {
  for (const { id, failing, total } of results) {
    if (failing.size === 0) continue;
    console.log(`${id}  ${total - failing.size} / ${total}`);
    for (const [name, message] of failing) console.log(`    ${oneLine(name)}: ${oneLine(message)}`);
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').slice(0, MAX_MESSAGE_CHARS);
}
