/**
 * Load from many connections. wrk where it is installed and one port is enough, because it takes the least of the
 * machine from the servers; otherwise generator.ts in a process of its own. Neither's CPU time is counted anywhere.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Target {
  readonly port: number;
  readonly host: string;
}

export interface LoadOptions {
  /** Asked in turn. */
  readonly targets: readonly Target[];
  readonly connections: number;
  readonly seconds: number;
  /**
   * Requests a second, evenly spaced, whatever becomes of those before; without it each connection sends its next one when it
   * has been answered, which is as much as the server takes. Latency counts from when a request was due, not from when a
   * connection was free for it.
   */
  readonly rate?: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Answers other than 2xx and 3xx, and connections that failed. */
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const GENERATOR = fileURLToPath(new URL('generator.ts', import.meta.url));
const run = promisify(execFile);
const hasWrk = spawnSync('wrk', ['--version']).error === undefined;

export const generatorName = hasWrk ? 'wrk' : 'own generator';

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const onePort = new Set(options.targets.map(({ port }) => port)).size === 1;
  return hasWrk && onePort && options.rate === undefined ? runWrk(options) : runGenerator(options);
}

async function runGenerator(options: LoadOptions): Promise<LoadResult> {
  const { stdout } = await run(process.execPath, [GENERATOR, JSON.stringify(options)], limits(options));
  const result: LoadResult = JSON.parse(stdout);
  return result;
}

async function runWrk(options: LoadOptions): Promise<LoadResult> {
  const { targets, connections, seconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'isola-wrk-'));
  try {
    const script = join(folder, 'load.lua');
    writeFileSync(script, luaScript(targets));
    const url = `http://127.0.0.1:${targets[0]?.port}/`;
    const args = ['-t', '1', '-c', `${connections}`, '-d', `${seconds}`, '--timeout', '10', '-s', script, url];
    const { stdout } = await run('wrk', args, limits(options));
    const line = stdout.split('\n').find((line) => line.startsWith('RESULT '));
    if (line === undefined) throw new Error(`wrk said nothing of its result: ${stdout}`);
    const result: LoadResult = JSON.parse(line.slice('RESULT '.length));
    return result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const limits = ({ seconds }: LoadOptions): { timeout: number; killSignal: 'SIGKILL' } => ({
  timeout: seconds * 1000 + 15_000,
  killSignal: 'SIGKILL',
});

/** Requests are formatted once, before the load; with one target wrk then needs no Lua while it runs. */
function luaScript(targets: readonly Target[]): string {
  const hosts = targets.map(({ host }) => JSON.stringify(host));
  const choose =
    hosts.length === 1
      ? `wrk.headers["Host"] = ${hosts[0]}`
      : `local hosts = { ${hosts.join(', ')} }
local requests, at = {}, 0
init = function()
  for i, host in ipairs(hosts) do requests[i] = wrk.format("GET", "/", { Host = host }) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end`;
  return `${choose}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"failed":%d,"p50Ms":%f,"p99Ms":%f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;
}
