/**
 * A process that has had isolates ends in order. When Node ends by itself it takes its heap down, and a garbage collection
 * that was under way is finished then: isolated-vm's finalizers find their environment gone and end the process (an
 * assertion in `IsolateEnvironment::GetCurrent`). So none is under way at that time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let isPrepared = false;

/** Idempotent. */
export function endInOrder(): void {
  if (isPrepared) return;
  isPrepared = true;
  process.on('exit', () => {
    setFlagsFromString('--expose-gc');
    setFlagsFromString('--no-incremental-marking');
    (runInNewContext('gc') as () => void)();
  });
}
