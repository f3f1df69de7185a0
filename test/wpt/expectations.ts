/** What each file is known to do, kept in expectations.json: anything else fails the run, better results too. */
import { readFile, writeFile } from 'node:fs/promises';

/** A file's outcome. What befell the file as a whole counts as one more test, named `FILE`. */
export interface FileResult {
  readonly id: string;
  readonly total: number;
  /** Messages of what did not pass, by name. */
  readonly failing: ReadonlyMap<string, string>;
}

/**
 * A number: so many tests, all of which pass. Else those that do not, or `all`. A name in `flaky` may do either; when
 * `FILE` is flaky, so is everything in it.
 */
export type Expectation =
  | number
  | { readonly total: number; readonly failing: readonly string[] | 'all'; readonly flaky?: readonly string[] };

export type Expectations = Readonly<Record<string, Expectation>>;

export const FILE = '(file)';

export interface Surprise {
  readonly id: string;
  readonly test: string;
  readonly what: string;
}

/** Compares. Nothing is returned for what went as expected. */
export function findSurprises(result: FileResult, expectation: Expectation | undefined): Surprise[] {
  const { id, total, failing } = result;
  if (expectation === undefined) return [{ id, test: FILE, what: 'is new: there is no expectation for it' }];
  const expected = normalize(expectation);
  if (expected.flaky.has(FILE)) return [];
  const surprises: Surprise[] = [];
  for (const [test, message] of failing) {
    if (expected.flaky.has(test) || expected.failing === 'all' || expected.failing.has(test)) continue;
    surprises.push({ id, test, what: `failed: ${message}` });
  }
  if (expected.failing === 'all') {
    if (failing.size < total)
      surprises.push({ id, test: FILE, what: `passed ${total - failing.size} that used to fail` });
  } else {
    for (const test of expected.failing) {
      if (!failing.has(test) && !expected.flaky.has(test)) surprises.push({ id, test, what: 'passed, or is gone' });
    }
  }
  if (total !== expected.total) {
    surprises.push({ id, test: FILE, what: `has ${total} tests, expected were ${expected.total}` });
  }
  return surprises;
}

/** The expectation that `result` meets. Flaky names stay flaky. */
export function toExpectation({ total, failing }: FileResult, before: Expectation | undefined): Expectation {
  const flaky = typeof before === 'object' ? (before.flaky ?? []) : [];
  const names = [...failing.keys()].filter((name) => !flaky.includes(name));
  if (flaky.length > 0) return { total, failing: names, flaky };
  if (names.length === 0) return total;
  return { total, failing: names.length === total && total > 1 ? 'all' : names };
}

/** How many pass. A flaky one counts as failing. */
export function countPasses(expectation: Expectation): { readonly passes: number; readonly total: number } {
  if (typeof expectation === 'number') return { passes: expectation, total: expectation };
  const { total, failing, flaky = [] } = expectation;
  return { passes: failing === 'all' ? 0 : total - failing.length - flaky.length, total };
}

export async function readExpectations(path: string): Promise<Expectations> {
  return JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Expectations;
}

/** One line for each file, in order: a change is a line in a diff. */
export async function writeExpectations(path: string, expectations: Expectations): Promise<void> {
  const lines = Object.entries(expectations)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, expectation]) => `${JSON.stringify(id)}: ${JSON.stringify(expectation)}`);
  await writeFile(path, `{\n${lines.join(',\n')}\n}\n`);
}

function normalize(expectation: Expectation): {
  readonly total: number;
  readonly failing: ReadonlySet<string> | 'all';
  readonly flaky: ReadonlySet<string>;
} {
  if (typeof expectation === 'number') return { total: expectation, failing: new Set(), flaky: new Set() };
  const { total, failing, flaky = [] } = expectation;
  return { total, failing: failing === 'all' ? 'all' : new Set(failing), flaky: new Set(flaky) };
}
