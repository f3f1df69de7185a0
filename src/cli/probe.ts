/** Tries something that may take the process down, in a process of its own. */
import { spawn } from 'node:child_process';
import { ROOT } from './version.ts';

export interface ProbeResult {
  readonly ok: boolean;
  readonly detail: string;
}

const PROBE_TIMEOUT_MS = 10_000;

/** Runs `code` with `ivm` in scope, under this Node and its flags. */
export function runProbe(code: string): Promise<ProbeResult> {
  const source = `const { default: ivm } = await import('isolated-vm');\n${code}`;
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let errors = '';
    const args = [...process.execArgv, '--input-type=module', '--eval', source];
    const child = spawn(process.execPath, args, {
      cwd: ROOT, // where packages are looked up
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: PROBE_TIMEOUT_MS,
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', (error) => resolve({ ok: false, detail: error.message }));
    child.on('close', (exitCode, signal) => {
      const ms = Math.round(performance.now() - startedAt);
      if (exitCode === 0) resolve({ ok: true, detail: `works (${ms} ms with the start of Node)` });
      else resolve({ ok: false, detail: toReason(errors) ?? `the probe died of ${signal ?? `code ${exitCode}`}` });
    });
  });
}

function toReason(errors: string): string | undefined {
  return errors.split('\n').find((line) => /\w*Error: /.test(line));
}
