/** `isola test`, which is what `npm test` and CI run: every check there is, the cheap ones first, until one fails. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { CHROMIUM_REMEDY, provideChromium } from './chromium.ts';
import { CommandError } from './command-error.ts';
import { provideDashboard } from './dashboard.ts';
import { defineCommand, UsageError } from './options.ts';
import { startProgress } from './progress.ts';
import { runNode } from './run-node.ts';
import { paint, printLine, toDuration } from './terminal.ts';
import { ROOT } from './version.ts';

// A test that hangs should fail by its name, long before CI gives up on the whole run.
const TEST_TIMEOUT_MS = 120_000;
const FUZZ_TIMEOUT_MS = 30 * 60_000;
const FUZZ_TARGETS_IN_A_ROW = 5; // of one file in test/fuzz/, and some to spare

interface Step {
  readonly name: string;
  readonly does: string;
  /** Resolves to the exit code. */
  run(): Promise<number>;
}

const STEPS: readonly Step[] = [
  { name: 'types', does: 'type check (tsc)', run: checkTypes },
  { name: 'lint', does: 'lint (oxlint, type-aware; warnings fail)', run: () => runTool('oxlint', []) },
  { name: 'format', does: 'format (oxfmt)', run: () => runTool('oxfmt', ['--check', '.']) },
  { name: 'dead-code', does: 'dead code (knip)', run: () => runTool('knip', ['--no-progress']) },
  { name: 'dashboard', does: 'build of the dashboard (vite)', run: buildDashboard },
  { name: 'unit', does: 'unit tests', run: () => runTests('src/**/*.test.ts') },
  { name: 'e2e', does: 'end-to-end tests', run: runEndToEnd },
];

/** Slow, and so no part of the whole: run by its name. */
const FUZZ: Step = {
  name: 'fuzz',
  does: 'property tests, with a million inputs each; hostile frames, uploads and headers, for minutes each',
  run: async () => {
    process.env['ISOLA_FUZZ_RUNS'] ??= '1000000';
    process.env['ISOLA_FUZZ_MINUTES'] ??= '1';
    const timeoutMs = FUZZ_TIMEOUT_MS + FUZZ_TARGETS_IN_A_ROW * Number(process.env['ISOLA_FUZZ_MINUTES']) * 60_000;
    return (await runTests('test/fuzz/*.test.ts', timeoutMs)) || runTests('src/**/*.property.test.ts', timeoutMs);
  },
};

const names = [...STEPS, FUZZ].map((step) => step.name);

export const test = defineCommand({
  name: 'test',
  summary: 'Check everything: types, lint, format, dead code, unit and end-to-end tests (npm test)',
  positionals: '',
  options: {
    only: {
      type: 'string',
      value: 'STEP',
      help: `Run one step: ${names.join(', ')}`,
      pattern: new RegExp(`^(${names.join('|')})$`),
      allowed: `one of ${names.join(', ')}`,
    },
    minutes: {
      type: 'string',
      value: 'N',
      help: 'With --only fuzz: so long for each kind of hostile input',
      defaultText: '1',
      pattern: /^\d{1,4}$/,
      allowed: 'a whole number',
    },
  },
  examples: [
    { line: 'isola test', does: 'All steps; stops at the first that fails' },
    { line: 'isola test --only unit', does: 'The unit tests alone' },
    {
      line: 'isola test --only fuzz',
      does: 'The property tests, with a million inputs each (npm run fuzz)',
    },
    {
      line: 'isola test --only fuzz --minutes 10',
      does: 'The same, and ten minutes for each kind of hostile input',
    },
  ],
  run: ({ only, minutes }) => {
    if (!existsSync(join(ROOT, 'tsconfig.json'))) {
      throw new UsageError('Cannot run the tests: they are in the git checkout only');
    }
    if (minutes !== undefined) process.env['ISOLA_FUZZ_MINUTES'] = minutes;
    return runSteps(only === undefined ? STEPS : [...STEPS, FUZZ].filter((step) => step.name === only));
  },
});

async function runSteps(steps: readonly Step[]): Promise<number> {
  const startedAt = performance.now();
  for (const [index, step] of steps.entries()) {
    const label = `[${index + 1}/${steps.length}] ${step.does}`;
    printLine(paint('bold', label));
    const stepStartedAt = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- a later step is run only when the earlier ones passed
    const code = await step.run();
    const time = toDuration(performance.now() - stepStartedAt);
    if (code !== 0) {
      printLine(paint('red', `✖ ${step.does} failed after ${time}. Again: npm test -- --only ${step.name}`));
      return 1;
    }
    printLine(`${paint('green', '✔')} ${step.does} ${paint('dim', time)}`);
  }
  printLine(`${paint('green', '✔ all passed')} in ${toDuration(performance.now() - startedAt)}`);
  return 0;
}

async function checkTypes(): Promise<number> {
  const args = ['--noEmit', '--pretty'];
  // The programs are written for the types of the DOM, which the rest must not see.
  const others = ['test/programs', 'dashboard'];
  let code = await runTool('tsc', args);
  for (const project of others) code ||= await runTool('tsc', [...args, '-p', project]);
  return code;
}

/** Before the tests, which start many platforms: each would build it. */
async function buildDashboard(): Promise<number> {
  await provideDashboard();
  return 0;
}

function runEndToEnd(): Promise<number> {
  if (!provideChromium()) {
    const missing = `SKIPPED: the tests of the dashboard need chromium. To have it: ${CHROMIUM_REMEDY}`;
    printLine(paint('red', missing));
  }
  return runTests('test/**/*.test.ts');
}

/** A tool out of node_modules/.bin. Its output is held back and shown only when it fails. */
async function runTool(name: string, args: readonly string[]): Promise<number> {
  const path = join(ROOT, 'node_modules', '.bin', name);
  if (!existsSync(path))
    throw new CommandError(`Cannot run ${name}: it is not installed. Run: npm ci --ignore-scripts`);
  using _progress = startProgress({ label: name });
  const output: Buffer[] = [];
  const code = await new Promise<number>((resolve, reject) => {
    // Under this Node, whatever the `node` on PATH is. NO_COLOR is not set: a failing CI log may be coloured.
    const child = spawn(process.execPath, [path, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0) process.stdout.write(Buffer.concat(output));
  return code;
}

function runTests(pattern: string, timeoutMs = TEST_TIMEOUT_MS): Promise<number> {
  return runNode([
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${timeoutMs}`,
    pattern,
  ]);
}
