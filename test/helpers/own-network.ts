/**
 * A network of its own for a test: public addresses that are this machine's, and nothing else to reach. What leads from
 * the internet into the platform's own network can only be tried where there is an internet.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

const FLAG = 'ISOLA_TEST_OWN_NETWORK';
/** Of a block for servers that everybody has (RFC 7535): nobody is at the other end of it. */
export const PUBLIC_ADDRESS = '192.31.196.9';

/** Whether this process is in one. */
export const isInOwnNetwork = process.env[FLAG] === '1';

/** Why not, where there can be none. */
export function whyNoNetwork(): string | false {
  const { status } = spawnSync('unshare', ['-Urn', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
  return status === 0 ? false : 'needs a network namespace: Linux with unshare and ip, user namespaces allowed';
}

/** Runs a file of tests in one. Resolves to its output; rejects when a test fails. */
export async function runInOwnNetwork(file: string): Promise<string> {
  const commands = `ip link set lo up && ip addr add ${PUBLIC_ADDRESS}/32 dev lo && exec "$0" "$@"`;
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // or it would report to a runner that does not listen
  const args = ['-Urn', 'sh', '-c', commands, process.execPath, ...process.execArgv, file];
  const child = spawn('unshare', args, { env: { ...env, [FLAG]: '1' }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The tests of ${file} ended with ${code}:\n${output}`);
  return output;
}
