/** Waiting for others on the machine to be done. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 100;
const QUIET_SHARE = 0.15; // of one core: 10 ms in 100 are the least that can be seen
const PATIENCE_MS = 1_000; // a machine that is never quiet is measured as it is

/** Resolves when this machine has done next to nothing for a moment; call it while what is measured rests. */
export async function untilQuiet(): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const before = busyMs();
    await sleep(LOOK_MS);
    if (busyMs() - before <= LOOK_MS * QUIET_SHARE) return;
  }
}

/** CPU time that all cores together have worked. */
function busyMs(): number {
  const [, user, nice, system, , , irq, softIrq] = readFileSync('/proc/stat', 'utf8').split(/\s+/, 9);
  const ticks = [user, nice, system, irq, softIrq].reduce((sum, text) => sum + Number(text), 0);
  return ticks * 10; // USER_HZ is 100 on every Linux that Node runs on
}
