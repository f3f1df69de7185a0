import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId } from '../../../ids.ts';
import { LOG_BURST_SECONDS, LOG_BYTES_PER_SECOND, MAX_LOG_BACKLOG_BYTES } from '../../../limits.ts';
import { logStoreContract, makeLine, toLog } from '../../logs-contract.ts';
import { LogQueue } from './log-queue.ts';
import type { LogDraft } from './log-tables.ts';
import { openInlineLogStore, openSqliteLogStore } from './sqlite-log-store.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;

logStoreContract('the inline SqliteLogStore', async (options) => openInlineLogStore(options));

describe('openSqliteLogStore', () => {
  it('writes and searches in threads, and has everything again after it was closed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-logs-'));
    const options = {
      quota: { days: 1, accountBytes: 1e6, totalBytes: 1e6 },
      onError: (error: unknown) => assert.fail(String(error)),
    };
    try {
      {
        await using store = await openSqliteLogStore(join(folder, 'logs.sqlite'), options);
        for (let at = 0; at < 50; at++) store.append(A, makeLine({ ray: `r${at}`, logs: [toLog(`line ${at}`)] }));
        await store.flush();
        const { entries } = await store.list(A, { limit: 1, text: '"line 17"' });
        assert.equal(entries[0]?.ray, 'r17');
        store.append(A, makeLine({ ray: 'last' }));
      }
      await using again = await openSqliteLogStore(join(folder, 'logs.sqlite'), options);
      assert.equal((await again.list(A, { limit: 100 })).entries.length, 51);
      assert.equal((await again.list(A, { limit: 1 })).entries[0]?.ray, 'last');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('LogQueue', () => {
  const open = () => {
    let now = 0;
    const written: LogDraft[] = [];
    const pending: (() => void)[] = [];
    const queue = new LogQueue({
      now: () => now,
      write: (batch) => {
        written.push(...batch);
        return new Promise((resolve) => pending.push(resolve));
      },
    });
    /** As many as are taken in a row. */
    const fill = (account: AccountId): number => {
      let taken = 0;
      while (queue.add(account, 'x'.repeat(9_488))) taken++; // 10,000 bytes each
      return taken;
    };
    const finish = async (): Promise<void> => {
      const flushed = queue.flush();
      for (const resolve of pending.splice(0)) resolve();
      await flushed;
    };
    return { queue, written, fill, finish, wait: (ms: number) => void (now += ms) };
  };

  it('add() leaves out what is beyond the rate of its account, counts it, and takes what others log', async () => {
    const { queue, written, fill, finish, wait } = open();
    let taken = fill(A);
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- the disk is fast, only the rate holds it back
      await finish();
      const more = fill(A);
      taken += more;
      if (more === 0) break;
    }
    assert.equal(taken, Math.ceil((LOG_BURST_SECONDS * LOG_BYTES_PER_SECOND) / 10_000));
    assert.equal(queue.add(B, 'line'), true);
    wait(1_000);
    fill(A);
    await finish();
    const next = written.filter(({ account }) => account === A).slice(taken);
    assert.equal(next.length, Math.ceil(LOG_BYTES_PER_SECOND / 10_000));
    assert.equal(next[0]!.dropped, 2);
    assert.deepEqual(
      next
        .slice(1)
        .map(({ dropped }) => dropped)
        .filter(Boolean),
      [],
    );
  });

  it('add() never has more than MAX_LOG_BACKLOG_BYTES wait for a disk that stands still, a quarter for one account', async () => {
    const { queue, fill, finish } = open();
    assert.equal(fill(A), Math.floor(MAX_LOG_BACKLOG_BYTES / 4 / 10_000));
    const others = Array.from({ length: 6 }, (_, at) => fill(`b${at}` as AccountId));
    assert.deepEqual(
      others.map((count) => count > 0),
      [true, true, true, true, false, false],
    );
    await finish();
    assert.equal(queue.add('b9' as AccountId, 'line'), true);
    await finish();
  });
});
