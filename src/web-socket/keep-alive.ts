/** Pings for all open WebSockets of this process, by one timer. */

const BEAT_MS = 30_000; // load balancers and NATs forget a silent connection after 60 s and more

interface Pinged {
  beat(): void;
}

const open = new Set<Pinged>();
let timer: NodeJS.Timeout | undefined;

export function keepAlive(session: Pinged): void {
  open.add(session);
  timer ??= setInterval(() => {
    for (const each of open) each.beat();
  }, BEAT_MS).unref();
}

export function leaveAlone(session: Pinged): void {
  open.delete(session);
  if (open.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}
