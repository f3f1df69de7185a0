interface ScheduledController {
  readonly cron: string;
  /** When it was due, ms since 1970. */
  readonly scheduledTime: number;
}

interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** Of this instance only: a Worker may run in several, and each starts anew. Keep what must last in a store. */
const runs: string[] = [];

export default {
  scheduled(controller: ScheduledController, _env: unknown, context: ExecutionContext): void {
    const due = new Date(controller.scheduledTime).toISOString();
    context.waitUntil(clean(controller.cron, due));
  },

  fetch(): Response {
    return Response.json({ runs });
  },
};

async function clean(cron: string, due: string): Promise<void> {
  await Promise.resolve(); // where the work would be
  runs.push(`${cron} due ${due}`);
  console.log(`cleaned up for ${cron}, due ${due}`);
}
