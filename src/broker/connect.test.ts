import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress } from './index.ts';
import { echo, get, never, refusal, serve } from './testing.ts';

const guarded = createEgress({ allowPrivate: false });
after(() => guarded.close());

describe('Egress.fetch() without allowPrivate', () => {
  for (const host of [
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0',
    '169.254.169.254',
    '10.0.0.1',
  ]) {
    it(`refuses the literal ${host}`, async () => {
      await assert.rejects(
        guarded.fetch(get(`http://${host}:8080/`), never),
        refusal(/^private address refused: fetch to .* is /),
      );
      await assert.rejects(guarded.fetch(get(`https://${host}:8443/`), never), refusal(/^private address refused/));
    });
  }

  it('refuses a name that resolves to a private address, and says which', async () => {
    const url = await serve(echo);
    const { port } = new URL(url);
    await assert.rejects(
      guarded.fetch(get(`http://localhost:${port}/`), never),
      refusal(
        /^private address refused: fetch to localhost resolves to (127\.0\.0\.1|::1), which this platform does not allow$/,
      ),
    );
  });

  it('asks for the name once per connection, so that an answer cannot change after the check', async () => {
    const answers = ['127.0.0.1', '192.168.0.1'];
    let asked = 0;
    const rebound = createEgress({
      allowPrivate: false,
      resolve: async () => [{ address: answers[asked++] ?? '::1', family: 4 }],
    });
    await assert.rejects(rebound.fetch(get('http://rebind.test/'), never), refusal(/resolves to 127\.0\.0\.1/));
    await assert.rejects(rebound.fetch(get('http://rebind.test/'), never), refusal(/resolves to 192\.168\.0\.1/));
    assert.equal(asked, 2);
    await rebound.close();
  });

  it('refuses a name of which no address is public', async () => {
    const mixed = createEgress({
      allowPrivate: false,
      resolve: async () => [
        { address: '::1', family: 6 },
        { address: '192.0.2.1', family: 4 },
      ],
    });
    await assert.rejects(mixed.fetch(get('http://mixed.test/'), never), refusal(/resolves to ::1/));
    await mixed.close();
  });
});
