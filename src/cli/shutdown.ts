/** The two-step stop of a long-running command: the first signal asks, the second insists. */

// One Ctrl-C arrives more than once: the terminal signals the whole group, and npm and the launcher pass it on.
const SAME_SIGNAL_MS = 500;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. From then on a further one, sent by a person rather than passed on
 * by a parent, ends the process at once with the shell's code for that signal.
 */
export function untilStopped(now: () => number = Date.now): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals, number: number): void => {
      if (firstAt === undefined) {
        firstAt = now();
        resolve(signal);
      } else if (now() - firstAt > SAME_SIGNAL_MS) {
        process.exit(128 + number);
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}
