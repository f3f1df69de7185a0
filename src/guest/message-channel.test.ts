import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageChannel, MessagePort } from './message-channel.ts';

describe('MessageChannel', () => {
  it('delivers copies in order, once the port has been started, and not at once', async () => {
    const { port1, port2 } = new MessageChannel();
    const message = { a: 1 };
    port1.postMessage(message);
    message.a = 2;
    port1.postMessage('last');
    const received: unknown[] = [];
    const done = new Promise<void>((resolve) => {
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the attribute starts the port
      port2.onmessage = (event) => {
        const { data } = event as unknown as { data: unknown };
        received.push(data);
        if (data === 'last') resolve();
      };
    });
    assert.deepEqual(received, []);
    await done;
    assert.deepEqual(received, [{ a: 1 }, 'last']);
  });

  it('delivers nothing after close()', async () => {
    const { port1, port2 } = new MessageChannel();
    let received = 0;
    port2.addEventListener('message', () => received++);
    port2.start();
    port1.close();
    port1.postMessage(1);
    await Promise.resolve();
    assert.equal(received, 0);
  });

  it('refuses what cannot be copied, and other ways to get a port', () => {
    assert.throws(() => new MessageChannel().port1.postMessage(() => 1), { name: 'DataCloneError' });
    assert.throws(() => new MessagePort(), TypeError);
  });
});
