import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UsageMessage } from './batch.ts';
import { Meter } from './meter.ts';
import { UsageOutbox } from './outbox.ts';
import { makeRecord } from './testing.ts';

const NEVER_MS = 1_000_000;

describe('UsageOutbox', () => {
  it('sends a batch again, with its number, until it is answered', async () => {
    const sent: UsageMessage[] = [];
    const meter = new Meter();
    using outbox = open(meter, async (message) => {
      sent.push(message);
      if (sent.length <= 2) throw new Error('the disk is full');
    });
    meter.end(makeRecord(), undefined);
    await outbox.flush();
    assert.deepEqual(
      sent.map(({ number }) => number),
      [1, 1, 1],
    );
    assert.deepEqual(sent[2], sent[0]);
    meter.end(makeRecord(), undefined);
    await outbox.flush();
    await outbox.flush(); // nothing was used
    assert.deepEqual([sent.length, sent.at(-1)?.number], [4, 2]);
  });

  it('begins the minute of a batch where the one before ended, and has what runs counted', async () => {
    let now = 59_999;
    let asked = 0;
    const minutes: number[] = [];
    const meter = new Meter();
    using outbox = new UsageOutbox({
      meter,
      send: async ({ minute }) => void minutes.push(minute),
      beforeCut: () => void asked++,
      now: () => now,
      everyMs: NEVER_MS,
    });
    now = 60_001;
    meter.end(makeRecord(), undefined);
    await outbox.flush();
    meter.end(makeRecord(), undefined);
    await outbox.flush();
    assert.deepEqual([minutes, asked], [[0, 1], 2]);
  });

  it('gathers while too many wait for their answer', async () => {
    const answers: (() => void)[] = [];
    const meter = new Meter();
    let requests = 0;
    using outbox = new UsageOutbox({
      meter,
      send: () => new Promise<void>((resolve) => answers.push(resolve)),
      beforeCut: () => {
        meter.end(makeRecord(), undefined);
        requests++;
      },
      now: () => 0,
      everyMs: 1,
    });
    while (answers.length < 20) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([answers.length, requests], [20, 20]);
    const done = outbox.flush();
    for (const answer of answers) answer();
    outbox[Symbol.dispose]();
    await Promise.resolve();
    for (const answer of answers) answer();
    await done;
  });
});

function open(meter: Meter, send: (message: UsageMessage) => Promise<void>): UsageOutbox {
  return new UsageOutbox({ meter, send, beforeCut: () => {}, now: () => 0, everyMs: NEVER_MS, retryMs: 1 });
}
