import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeLine, toLog } from '../store/logs-contract.ts';
import { InvocationLog } from './invocation-log.ts';

describe('InvocationLog', () => {
  it('append() takes what a cell tells of accounts that it may speak for, and of no others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-log-'));
    const told: string[] = [];
    const log = new InvocationLog(folder, {
      onRecord: ({ ray }) => told.push(`record ${ray}`),
      onLine: (account, line) => told.push(`line of ${account}: ${(JSON.parse(line) as { ray: string }).ray}`),
      onTailed: ({ ray }) => told.push(`tailed ${ray}`),
      mapStacks: () => undefined,
    });
    try {
      const lines = [
        makeLine({ ray: 'mine', account: 'a', logs: [toLog('l')] }),
        makeLine({ ray: 'forged', account: 'b', logs: [toLog('l')] }),
        makeLine({ ray: 'nobodys', account: 7, logs: [toLog('l')] }),
      ];
      log.append(Buffer.from(`${lines.join('\n')}\n`), 'notable', new Set(['a']));
      const tail = { clientIp: '', headers: [], dropped: 0 };
      log.append(Buffer.from(`${makeLine({ ray: 'forged', account: 'b', tail })}\n`), 'tailed', new Set(['a']));
      assert.deepEqual(told, ['record mine', 'line of a: mine']);
      await log.close();
      assert.ok(!readFileSync(join(folder, 'logs', 'invocations.jsonl'), 'utf8').includes('forged'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
