/**
 * The bench: this platform beside workerd, bare `node:http` and a Node process per tenant, in one run on one machine,
 * because only ratios mean anything elsewhere. `npm run bench -- --help` lists the options.
 * Start at measures/, one file per measure; peers/ starts what is measured, lib/ measures.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { killAll } from './lib/children.ts';
import { createContext, removeFolders, type Context } from './lib/context.ts';
import { generatorName } from './lib/load.ts';
import { PEER_NAMES, toTable, verdict, type PeerName, type Row, type Section } from './lib/report.ts';
import { within } from './lib/time.ts';
import { assets } from './measures/assets.ts';
import { coldStart } from './measures/cold-start.ts';
import { cpuLimit } from './measures/cpu-limit.ts';
import { deployLive } from './measures/deploy-live.ts';
import { idleMemory } from './measures/idle-memory.ts';
import { manyWorkers } from './measures/many-workers.ts';
import { kv } from './measures/kv.ts';
import type { Measure } from './measures/measure.ts';
import { metering } from './measures/metering.ts';
import { noisyNeighbours } from './measures/noisy-neighbours.ts';
import { oneWorker } from './measures/one-worker.ts';
import { registered } from './measures/registered.ts';
import { sandbox } from './measures/sandbox.ts';
import { webapi } from './measures/webapi.ts';

const MEASURES = [
  oneWorker,
  manyWorkers,
  coldStart,
  idleMemory,
  registered,
  cpuLimit,
  noisyNeighbours,
  deployLive,
  webapi,
  assets,
  kv,
  sandbox,
  metering,
];
const RESULTS = fileURLToPath(new URL('results', import.meta.url));

const HELP = `Usage: npm run bench -- [measures] [options]

  a b, --only a,b   only these measures:
${MEASURES.map(({ id, title }) => `                      ${id}  ${title}`).join('\n')}
  --peers NAMES     only these, separated by commas: ${PEER_NAMES.join(', ')}
  --operations P,…  of webapi only those whose names begin so
  --quick           shorter, to see that everything works
  --json FILE       also write the figures there (always: bench/results/<date>.json)`;

// Not by exitCode: a measure that was given up may still have timers and sockets.
process.exit(await main());

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      operations: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const measures = choose(values.only ?? (positionals.length === 0 ? undefined : positionals.join(',')));
  const context = createContext({
    peers: new Set(choosePeers(values.peers)),
    quick: values.quick,
    operations: values.operations.split(','),
  });
  const machine = `${describeMachine()}${values.quick ? '; QUICK: smaller counts than the titles say, not to be quoted' : ''}`;
  console.error(machine);
  const sections: Section[] = [];
  const start = performance.now();
  for (const measure of measures) sections.push(await runMeasure(measure, context));
  removeFolders();

  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`\n${machine}\n\n${toTable(sections)}\n\n${toSummary(sections)} In ${seconds} s.`);
  const date = new Date().toISOString();
  const report = JSON.stringify({ date, machine, quick: values.quick, sections }, undefined, 2);
  for (const path of [
    join(RESULTS, `${date.replaceAll(':', '-')}.json`),
    ...(values.json === undefined ? [] : [values.json]),
  ]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${report}\n`);
    console.log(`Written to ${path}`);
  }
  return sections.some(({ error }) => error !== undefined) ? 1 : 0;
}

/** A measure that fails or hangs costs its own figures, not those of the others. */
async function runMeasure({ id, title, timeoutMs, run }: Measure, context: Context): Promise<Section> {
  console.error(`\n${id}. ${title}`);
  const rows: Row[] = [];
  try {
    await within(timeoutMs, `measure ${id}`, run(context, rows));
    return { id, title, rows };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.log(`ended early: ${reason}`);
    return { id, title, rows, error: reason };
  } finally {
    killAll();
  }
}

function choose(only: string | undefined): readonly Measure[] {
  if (only === undefined) return MEASURES;
  const ids = only.split(',');
  const unknown = ids.find((id) => !MEASURES.some((measure) => measure.id === id));
  if (unknown !== undefined)
    throw new Error(`Unknown measure '${unknown}': choose from ${MEASURES.map(({ id }) => id).join(', ')}`);
  return MEASURES.filter(({ id }) => ids.includes(id));
}

function choosePeers(chosen: string | undefined): readonly PeerName[] {
  if (chosen === undefined) return PEER_NAMES;
  const wanted = chosen.split(',').map((name) => name.trim());
  const unknown = wanted.find((name) => !PEER_NAMES.some((peer) => peer === name));
  if (unknown !== undefined) throw new Error(`Unknown peer '${unknown}': choose from ${PEER_NAMES.join(', ')}`);
  return PEER_NAMES.filter((peer) => wanted.includes(peer));
}

function describeMachine(): string {
  return `${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.versions.node}, load by ${generatorName}`;
}

function toSummary(sections: readonly Section[]): string {
  const verdicts = sections.flatMap(({ rows }) => rows.flatMap(({ goals }) => goals.map(verdict)));
  const count = (wanted: string): number => verdicts.filter((verdict) => verdict === wanted).length;
  return `Goals: ${count('met')} met, ${count('missed')} missed, ${count('not measured')} not measured.`;
}
