/**
 * A cell that somebody has taken over, for the escape drill: it comes up as a cell does, seals itself as a cell does, and
 * then makes attempts (attempts.ts). It is told on file descriptor 3 in lines of JSON, and answers a line for each
 * attempt. It never runs in a platform.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { seal } from '../../src/cell/seal.ts';
import { ATTEMPTS } from './attempts.ts';
import type { Orders } from './orders.ts';

const channel = new Socket({ fd: 3, readable: true, writable: true });
const report = (outcome: string): void => void channel.write(`${JSON.stringify(outcome)}\n`);
process.on('uncaughtException', (error: NodeJS.ErrnoException) => report(error.code ?? error.message));
channel.on('close', () => process.exit());

const lines = createInterface({ input: channel })[Symbol.asyncIterator]();
const next = async (): Promise<string> => ((await lines.next()) as { value: string }).value;
const orders = JSON.parse(await next()) as Orders;
seal(orders.seal);
report('sealed');
for (let name = await next(); ;) {
  // oxlint-disable-next-line no-await-in-loop -- one after the other: an attempt may end the process
  report(await attempt(name));
  // oxlint-disable-next-line no-await-in-loop -- as above
  name = await next();
}

async function attempt(name: string): Promise<string> {
  try {
    return (await ATTEMPTS[name]?.(orders)) ?? 'unknown';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}
