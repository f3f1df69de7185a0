/** Steady load on one Worker: clients that each ask again as soon as they have their answer. */
import { Agent, request } from 'node:http';

export interface LoadResult {
  /** Answers by status. */
  readonly statuses: Map<number, number>;
  /** Distinct bodies of answers with status 200, in the order in which they were first seen. */
  readonly bodies: string[];
  /** Requests that got no answer at all: reset, refused, broken off. */
  readonly failures: string[];
}

export interface Load {
  readonly result: LoadResult;
  /** Resolves when so many answers with status 200 have come in from now on. */
  answered(count: number): Promise<void>;
  /** Lets every client finish its request. */
  stop(): Promise<LoadResult>;
}

export interface LoadTarget {
  readonly gatewayUrl: string;
  readonly host: string;
  readonly clients: number;
}

export function startLoad({ gatewayUrl, host, clients }: LoadTarget): Load {
  const { hostname, port } = new URL(gatewayUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const result: LoadResult = { statuses: new Map(), bodies: [], failures: [] };
  const waiting = new Set<{ left: number; resolve: () => void }>();
  const state = { stopping: false };

  const count = (status: number, body: string): void => {
    result.statuses.set(status, (result.statuses.get(status) ?? 0) + 1);
    if (status !== 200) return;
    if (!result.bodies.includes(body)) result.bodies.push(body);
    for (const waiter of waiting) {
      if (--waiter.left > 0) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  };
  const ask = (): Promise<void> =>
    new Promise((resolve) => {
      const fail = (error: Error): void => {
        result.failures.push(error.message);
        resolve();
      };
      const outgoing = request({ hostname, port, agent, path: '/', headers: { host } }, (incoming) => {
        let body = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (text: string) => (body += text));
        incoming.on('end', () => {
          count(incoming.statusCode ?? 0, body);
          resolve();
        });
        incoming.on('error', fail);
      });
      outgoing.on('error', fail);
      outgoing.end();
    });
  const running = Promise.all(
    Array.from({ length: clients }, async () => {
      while (!state.stopping) await ask();
    }),
  );
  return {
    result,
    answered: (left) => new Promise((resolve) => waiting.add({ left, resolve })),
    async stop() {
      state.stopping = true;
      await running;
      agent.destroy();
      return result;
    },
  };
}
