/** The short answer a client gets when a Worker gave none. Says what happened, and the id to find it in the logs. */
import type { Outcome } from '../model.ts';

interface FailureResponse {
  readonly status: number;
  /** As in the ABI's `HOST.respond`. */
  readonly head: string;
  readonly body: string;
}

const FAILURES: Record<Outcome, { status: number; text: string }> = {
  ok: { status: 500, text: 'The Worker ended without a response.' },
  exception: { status: 500, text: 'The Worker threw an exception.' },
  exceededCpu: { status: 503, text: 'The Worker exceeded its CPU time limit.' },
  exceededMemory: { status: 503, text: 'The Worker exceeded its memory limit.' },
  exceededWallTime: { status: 503, text: 'The Worker took too long.' },
  canceled: { status: 503, text: 'The Worker was restarted while it handled the request. Try again.' },
  internalError: { status: 500, text: 'The platform failed to run the Worker.' },
};

export function failureResponse(outcome: Outcome, ray: string): FailureResponse {
  const { status, text } = FAILURES[outcome];
  const head = `\ncontent-type\ntext/plain; charset=utf-8\nx-isola-outcome\n${outcome}`;
  return { status, head, body: `${text}\nError id: ${ray}\n` };
}
