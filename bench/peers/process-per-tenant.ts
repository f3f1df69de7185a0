/** One Node process per tenant, each on a port of its own, with nothing in front. */
import type { Context } from '../lib/context.ts';
import type { Target } from '../lib/load.ts';
import { inLanes } from '../lib/time.ts';
import { startNodeHttp } from './node-http.ts';
import type { Server } from './peer.ts';

export interface Tenants {
  readonly targets: readonly Target[];
  readonly pids: () => number[];
  stop(): Promise<void>;
}

export async function startTenants(context: Context, count: number): Promise<Tenants> {
  const servers: Server[] = [];
  await inLanes(count, 4, async () => {
    servers.push(await startNodeHttp(context));
  });
  return {
    targets: servers.map((server) => server.target('tenant')),
    pids: () => servers.flatMap((server) => server.pids()),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
