/** Runs operations in an isolate, as a Worker's request; answers the CPU time of each round in µs. Child of the bench. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRuntime, type InvocationRecord } from '../../src/index.ts';
import type { Task } from './task.ts';

const WORKER = `
import { operations } from './operations.js';
export default {
  async fetch(request) {
    const { name, times } = await request.json();
    const [count, work] = operations[name];
    for (let i = 0; i < times; i++) await work(count);
    return new Response();
  },
};`;

const records: InvocationRecord[] = [];
const runtime = await createRuntime({ onRecord: (record) => void records.push(record) });
await runtime.deploy('bench', {
  main: 'index.js',
  modules: { 'index.js': WORKER, 'operations.js': await readFile(new URL('operations.js', import.meta.url), 'utf8') },
  limits: { cpuMs: 60_000 },
});
process.on('message', (task: Task) => {
  void round(task).then((us) => process.send?.(us));
});
await once(process, 'disconnect');
await runtime.close();
process.exit();

async function round(task: Task): Promise<number> {
  records.length = 0;
  const request = new Request('http://bench.example/', { method: 'POST', body: JSON.stringify(task) });
  const response = await runtime.fetch('bench', request);
  if (!response.ok) throw new Error(`${task.name}: ${await response.text()}`);
  await response.text();
  while (records.length === 0) await new Promise(setImmediate);
  return records[0]!.cpuUs;
}
