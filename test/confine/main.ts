/** `npm run drill`: the whole escape drill, as a table. Code 1 when something got through that a layer has to stop. */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { findProgram } from '../../src/confine/program.ts';
import { type Column, columnsHere, COLUMNS, EXPECTED, isStopped, mustStop, type Outcome, runColumn } from './drill.ts';

const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
const chosen = values.only;
const columns = columnsHere(canRunBubblewrap()).filter((column) => chosen === undefined || chosen.includes(column));

const results = new Map<Column, Map<string, Outcome>>();
for (const column of columns) {
  // oxlint-disable-next-line no-await-in-loop -- they attack the same scene
  results.set(column, await runColumn(column));
}

const width = Math.max(...Object.keys(EXPECTED).map((name) => name.length));
console.log([''.padEnd(width), ...columns.map((column) => column.padEnd(12))].join('  '));
let failures = 0;
for (const name of Object.keys(EXPECTED)) {
  const cells = columns.map((column) => {
    const outcome = results.get(column)?.get(name) ?? '';
    const isFailure = mustStop(column, name) && !isStopped(outcome);
    if (isFailure) failures++;
    return `${isFailure ? '✖ ' : ''}${isStopped(outcome) ? shorten(outcome) : '-'}`.padEnd(12);
  });
  console.log([name.padEnd(width), ...cells].join('  '));
}
const missing = COLUMNS.filter((column) => !columns.includes(column));
console.log(`\n-: it got through. ${failures} got through that should not.`);
if (missing.length > 0) console.log(`Not tried here: ${missing.join(', ')}`);
process.exit(failures === 0 ? 0 : 1);

function shorten(outcome: Outcome): string {
  return outcome.replace('ERR_ACCESS_DENIED', 'denied');
}

function canRunBubblewrap(): boolean {
  try {
    execFileSync(findProgram('bwrap') ?? 'bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}
