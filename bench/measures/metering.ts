/** metering: how exact what is billed is, and what the counting costs. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CELL_FLAGS } from '../../src/supervisor/cell-process.ts';
import { atMost, row } from '../lib/report.ts';
import type { MeteringFigures } from '../metering/main.ts';
import { startIsola } from '../peers/isola.ts';
import { helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';
import { compareUnderLoad } from './rounds.ts';

const CONNECTIONS = 64;

export const metering: Measure = {
  id: 'metering',
  title: 'What is billed of CPU time that 1,000 requests use, and what metering costs a request',
  timeoutMs: 120_000,
  run: async (context, rows) => {
    const child = fork(fileURLToPath(new URL('../metering/main.ts', import.meta.url)), {
      execArgv: [...process.execArgv, ...CELL_FLAGS],
    });
    const [{ error, meterUs }] = (await once(child, 'message')) as [MeteringFigures];
    const offPercent = Math.abs(error) * 100;
    rows.push(row('billed CPU time is off by', '%', { isola: offPercent }, [atMost(2, '%', offPercent)]));
    rows.push(row('counting one request in the cell', 'µs', { isola: meterUs }));
    const isola = await startIsola(context);
    await isola.deploy([{ name: 'hello', code: helloCode('Hello') }]);
    const side = { pids: isola.pids, targets: [isola.target('hello')] };
    const { cpuUs } = await compareUnderLoad(context, new Map([['isola', side]]), CONNECTIONS);
    const share = (100 * meterUs) / (cpuUs.isola ?? NaN);
    rows.push(row('of the CPU time of a request, all processes', '%', { isola: share }, [atMost(3, '%', share)]));
  },
};
