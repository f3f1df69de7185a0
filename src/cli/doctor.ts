/** `isola doctor`: can this machine run isola? Each check says what is wrong and what to do. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { chooseSandbox, reportLayers, type SandboxMode } from '../confine/index.ts';
import { defineCommand } from './options.ts';
import { compareNode } from './pinned-node.ts';
import { runProbe, type ProbeResult } from './probe.ts';
import { PLATFORM_OPTIONS } from './serve.ts';
import { STANDING_LAYERS } from './standing-layers.ts';
import { paint, printLine } from './terminal.ts';

interface Check {
  readonly name: string;
  readonly run: () => Promise<ProbeResult>;
}

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Check whether this machine can run isola',
  positionals: '',
  options: {
    port: PLATFORM_OPTIONS.port,
    'control-port': PLATFORM_OPTIONS['control-port'],
    host: PLATFORM_OPTIONS.host,
    sandbox: PLATFORM_OPTIONS.sandbox,
    'require-sandbox': { type: 'boolean', help: 'Also fail when cells cannot have bubblewrap and its filters' },
  },
  examples: [
    { line: 'isola doctor', does: 'Node, platform, isolates, ports and layers of confinement, one line each' },
    { line: 'isola doctor --require-sandbox', does: 'The same, with code 1 when cells cannot be confined' },
  ],
  run: async ({ port, 'control-port': controlPort, host, sandbox: mode, 'require-sandbox': isRequired }) => {
    const checks: readonly Check[] = [
      { name: 'node', run: checkNode },
      { name: 'platform', run: checkPlatform },
      { name: 'isolated-vm', run: () => runProbe(ISOLATE_PROBE) },
      { name: 'snapshot', run: () => runProbe(SNAPSHOT_PROBE) },
      { name: `port ${port}`, run: () => checkPort(port, host) },
      { name: `port ${controlPort}`, run: () => checkPort(controlPort, host) },
    ];
    const results = await Promise.all(checks.map(async ({ name, run }) => ({ name, ...(await run()) })));
    for (const { name, ok, detail } of results) {
      printLine(`${ok ? paint('green', '✔') : paint('red', '✖')} ${name.padEnd(12)} ${detail}`);
    }
    const v8 = compareNode(process.versions, Date.now());
    const mark = v8.ok ? (v8.isOld ? paint('yellow', '!') : paint('green', '✔')) : paint('red', '✖');
    printLine(`${mark} ${'v8'.padEnd(12)} ${v8.detail}`);
    const chosen = await chooseSandbox(mode as SandboxMode);
    const isConfined = chosen.sandbox.kind === 'bubblewrap';
    printLine(`\nCells are confined by: ${chosen.sandbox.kind}`);
    for (const { name, isOn, detail } of reportLayers(chosen)) {
      printLine(`${isOn ? paint('green', '✔') : paint('yellow', '!')} ${name.padEnd(12)} ${detail}`);
    }
    printLine('\nOn every machine:');
    for (const [name, detail] of Object.entries(STANDING_LAYERS)) {
      printLine(`${paint('green', '✔')} ${name.padEnd(13)} ${detail}`);
    }
    return results.every(({ ok }) => ok) && v8.ok && (isConfined || !isRequired) ? 0 : 1;
  },
});

const ISOLATE_PROBE = `
  const isolate = new ivm.Isolate({ memoryLimit: 16 });
  const context = isolate.createContextSync();
  if (context.evalSync('6 * 7') !== 42) throw new Error('an isolate computes nonsense');
  isolate.dispose();
`;

/** The guest runtime is booted from a V8 start-up snapshot; a Node built without them cannot make one. */
const SNAPSHOT_PROBE = `
  const snapshot = ivm.Isolate.createSnapshot([{ code: 'globalThis.answer = 42' }]);
  const isolate = new ivm.Isolate({ snapshot, memoryLimit: 16 });
  if (isolate.createContextSync().evalSync('answer') !== 42) throw new Error('the snapshot lost its state');
  isolate.dispose();
`;

function checkNode(): Promise<ProbeResult> {
  const { node, v8 } = process.versions;
  const missing = ['--no-node-snapshot', '--no-turboshaft-loop-unrolling'].filter(
    (flag) => !process.execArgv.includes(flag),
  );
  if (missing.length === 0) return Promise.resolve({ ok: true, detail: `${node} (V8 ${v8})` });
  return Promise.resolve({ ok: false, detail: `${node} without ${missing.join(' ')}: start it by bin/isola.mjs` });
}

function checkPlatform(): Promise<ProbeResult> {
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  const memory = `${gib(freemem())} of ${gib(totalmem())} GiB free`;
  const detail = `${process.platform} ${process.arch}, ${availableParallelism()} cores, ${memory}`;
  return Promise.resolve({ ok: process.platform !== 'win32', detail });
}

async function checkPort(port: number, host: string): Promise<ProbeResult> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return { ok: true, detail: `free on ${host}` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ok: false, detail: code === 'EADDRINUSE' ? `in use on ${host}: choose another` : message };
  } finally {
    server.close();
  }
}
