import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
// oxlint-disable-next-line import/no-unassigned-import -- a part registers itself when it is loaded
import '../parts/structured-clone.ts';
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

  it('transfers ports, with what was posted to them, and tells the receiver of them', async () => {
    const outer = new MessageChannel();
    const inner = new MessageChannel();
    inner.port1.postMessage('early');
    const received = new Promise<unknown[]>((resolve) => {
      // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the attribute starts the port
      outer.port2.onmessage = (event) => {
        const { data, ports } = event as unknown as { data: { port: MessagePort }; ports: MessagePort[] };
        const seen: unknown[] = [ports.length, ports[0] === data.port, data.port === inner.port2];
        // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the attribute starts the port
        data.port.onmessage = (inside) => {
          seen.push((inside as unknown as { data: unknown }).data);
          if (seen.length === 5) resolve(seen);
          else inner.port1.postMessage('late');
        };
      };
    });
    outer.port1.postMessage({ port: inner.port2 }, [inner.port2]);
    assert.deepEqual(await received, [1, true, false, 'early', 'late']);
    assert.throws(() => outer.port1.postMessage(0, [inner.port2]), { name: 'DataCloneError' });
    assert.throws(() => outer.port1.postMessage(0, [outer.port1]), { name: 'DataCloneError' });
    assert.throws(() => outer.port1.postMessage(inner.port1), { name: 'DataCloneError' });
  });

  it('tells the other port of a close, after its messages', async () => {
    const { port1, port2 } = new MessageChannel();
    const seen: string[] = [];
    const closed = new Promise<void>((resolve) => {
      port2.addEventListener('close', () => {
        seen.push('close');
        resolve();
      });
    });
    port2.addEventListener('message', () => void seen.push('message'));
    port1.postMessage(1);
    port1.close();
    port2.start();
    await closed;
    assert.deepEqual(seen, ['message', 'close']);
  });

  it('refuses what cannot be copied, and other ways to get a port', () => {
    assert.throws(() => new MessageChannel().port1.postMessage(() => 1), { name: 'DataCloneError' });
    assert.throws(() => new MessagePort(), TypeError);
  });
});
