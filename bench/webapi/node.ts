/** Runs operations in Node itself; answers the CPU time of each round in µs. Child of the bench. */
import { operations } from './operations.js';
import type { Task } from './task.ts';

process.on('message', (task: Task) => {
  void round(task).then((us) => process.send?.(us));
});

async function round({ name, times }: Task): Promise<number> {
  const [count, work] = operations[name]!;
  const before = process.threadCpuUsage();
  for (let i = 0; i < times; i++) await work(count);
  const { user, system } = process.threadCpuUsage(before);
  return user + system;
}
