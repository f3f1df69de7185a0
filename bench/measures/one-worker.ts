/** a: one hello Worker, 64 connections. */
import { atMostTimes, row, type PeerName } from '../lib/report.ts';
import { startIsola } from '../peers/isola.ts';
import { startNodeHttp } from '../peers/node-http.ts';
import { helloCode } from '../peers/peer.ts';
import { startWorkerd } from '../peers/workerd.ts';
import type { Measure } from './measure.ts';
import { compareUnderLoad, type Side } from './rounds.ts';

const CONNECTIONS = 64;

export const oneWorker: Measure = {
  id: 'a',
  title: `One hello Worker, ${CONNECTIONS} connections`,
  timeoutMs: 120_000,
  run: async (context, rows) => {
    const sides = new Map<PeerName, Side>();
    if (context.peers.has('isola')) {
      const isola = await startIsola(context);
      await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
      sides.set('isola', { pids: isola.pids, pidsByRole: isola.pidsByRole, targets: [isola.target('hello')] });
    }
    if (context.peers.has('workerd')) {
      const workerd = await startWorkerd(context, 'single');
      sides.set('workerd', { pids: workerd.pids, targets: [workerd.target('hello')] });
    }
    if (context.peers.has('node:http')) {
      const node = await startNodeHttp(context);
      sides.set('node:http', { pids: node.pids, targets: [node.target('hello')] });
    }
    const { rows: loaded, cpuUs } = await compareUnderLoad(context, sides, CONNECTIONS);
    const goals = [atMostTimes(0.4, 'workerd', cpuUs), atMostTimes(1.6, 'node:http', cpuUs)];
    rows.push(row('CPU per request, median of rounds', 'µs', cpuUs, goals), ...loaded);
  },
};
