/** Runs test files on a pool of hosts and makes results of what comes back. */
import { join } from 'node:path';
import { FILE, type FileResult } from './expectations.ts';
import type { TestFile } from './discover.ts';
import type { HostAnswer } from './hosts/host.ts';
import { Host, type HostKind } from './pool.ts';
import type { Page } from './page.ts';
import type { WptServer } from './server.ts';

const TIMEOUTS = { normal: 10_000, long: 60_000 }; // ms, as of web-platform-tests
const FIXED_PORT = 8000; // wptserve's
const HARNESS_STATUS = ['ok', 'error', 'timed out', 'precondition failed'];

export interface RunOptions {
  readonly tests: readonly TestFile[];
  readonly server: WptServer;
  readonly kind: HostKind;
  readonly jobs: number;
  /** In ms, for one file. */
  readonly timeouts?: { readonly normal: number; readonly long: number };
  /** Called after each file, in whatever order they end. */
  readonly onResult: (result: FileResult, done: number) => void;
}

export async function runTests({
  tests,
  server,
  kind,
  jobs,
  timeouts = TIMEOUTS,
  onResult,
}: RunOptions): Promise<void> {
  const harness = await server.readScript('resources/testharness.js');
  const queue = [...tests];
  let done = 0;
  const work = async (): Promise<void> => {
    using host = new Host(kind);
    for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
      // oxlint-disable-next-line no-await-in-loop -- one page at a time in each process
      const page = await toPage(test, { server, harness }).catch((error: unknown) => ({ crash: String(error) }));
      const timeoutMs = test.isLong ? timeouts.long : timeouts.normal;
      // oxlint-disable-next-line no-await-in-loop -- as above
      const answer = 'crash' in page ? page : await host.run({ ...page, timeoutMs });
      onResult(toResult(test.id, answer, server), ++done);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

async function toPage(
  test: TestFile,
  { server, harness }: { server: WptServer; harness: string },
): Promise<Omit<Page, 'timeoutMs'>> {
  const path = test.path.replace(/\.js$/, '.worker.js');
  const href = `${server.origin}/${path}${test.variant}`;
  return { harness, script: await assemble(test, server), title: test.title, href };
}

/**
 * One script of all: the scripts that META names see each other's `let`, `const` and `class` only within one text. A
 * test in strict mode stays so, as a function in it.
 */
async function assemble(test: TestFile, server: WptServer): Promise<string> {
  const names = [
    ...test.scripts.map((name) =>
      name === 'resources/WebIDLParser.js' ? join('resources', 'webidl2', 'lib', 'webidl2.js') : name,
    ),
    test.path,
  ];
  const sources = await Promise.all(names.map((name) => server.readScript(name)));
  const main = sources.pop() ?? '';
  const isStrict = /^(?:\s|\/\/.*|\/\*[^]*?\*\/)*(['"])use strict\1/.test(main);
  return [...sources, isStrict ? `(function () {${main}\n}).call(self);` : main].map((text) => `;${text}\n`).join('');
}

function toResult(id: string, answer: HostAnswer, { addresses }: WptServer): FileResult {
  const failing = new Map<string, string>();
  if ('crash' in answer) {
    failing.set(FILE, `crashed: ${answer.crash}`);
    return { id, total: 1, failing };
  }
  const { harness, tests } = answer.result;
  const seen = new Map<string, number>();
  for (const [given, status, message] of tests) {
    const name = withFixedPorts(given, addresses.ports);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    if (status !== 0) failing.set(count === 1 ? name : `${name} (${count})`, message);
  }
  // That the file timed out is told by the tests that did.
  const isTold = harness.status === 2 && tests.some(([, status]) => status === 2 || status === 3);
  if (isTold || (harness.status === 0 && tests.length > 0)) return { id, total: tests.length, failing };
  const what = HARNESS_STATUS[harness.status] ?? 'unknown';
  failing.set(FILE, harness.status === 0 ? 'it has no tests' : `${what}: ${harness.message}`);
  return { id, total: tests.length + 1, failing };
}

/** Names of tests may have an address in them, and the ports are others in each run. */
function withFixedPorts(name: string, ports: readonly number[]): string {
  return ports.reduce((text, port, at) => text.replaceAll(`:${port}`, `:${FIXED_PORT + at}`), name);
}
