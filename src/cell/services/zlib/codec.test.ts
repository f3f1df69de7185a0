import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import zlib from 'node:zlib';
import { Codec, CodecError, PIECE_BYTES, STATE } from './codec.ts';

const zeros = Buffer.alloc(4 * PIECE_BYTES);
const bomb = zlib.gzipSync(zeros);

/** All output of what the codec has been fed, by synchronous or by pooled steps. */
async function drain(codec: Codec, pooled: boolean): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = Buffer.from(pooled ? await codec.step() : codec.stepSync());
    pieces.push(piece.subarray(0, -1));
    if (piece.at(-1) !== STATE.more) return Buffer.concat(pieces);
  }
}

describe('Codec', () => {
  for (const pooled of [false, true]) {
    const where = pooled ? 'in the thread pool' : 'at once';

    it(`gives what was fed, compressed, after a finish (${where})`, async () => {
      const codec = new Codec(zlib.createGzip(), 'zlib');
      codec.feed(Buffer.from('hello '), 'none');
      const parts = [await drain(codec, pooled)];
      codec.feed(Buffer.from('world'), 'finish');
      parts.push(await drain(codec, pooled));
      assert.equal(zlib.gunzipSync(Buffer.concat(parts)).toString(), 'hello world');
      codec.close();
    });

    it(`makes one piece a step, and tells that there is more (${where})`, async () => {
      const codec = new Codec(zlib.createGunzip(), 'zlib');
      codec.feed(bomb, 'none');
      const piece = pooled ? await codec.step() : codec.stepSync();
      assert.equal(piece.byteLength, PIECE_BYTES + 1);
      assert.equal(piece.at(-1), STATE.more);
      assert.ok(codec.pending);
      assert.equal((await drain(codec, pooled)).length, 3 * PIECE_BYTES);
      assert.ok(!codec.pending);
      codec.close();
    });

    it(`throws what is wrong with the data (${where})`, async () => {
      const codec = new Codec(zlib.createInflate(), 'zlib');
      codec.feed(Buffer.from('nonsense'), 'none');
      await assert.rejects(drain(codec, pooled), (error) => {
        assert.ok(error instanceof CodecError);
        assert.equal(error.code, 'Z_DATA_ERROR');
        return true;
      });
      codec.close();
    });
  }

  it('tells of input after the end of the data', () => {
    const codec = new Codec(zlib.createInflate(), 'zlib');
    codec.feed(Buffer.concat([zlib.deflateSync('abc'), Buffer.from('more')]), 'none');
    assert.deepEqual(codec.stepSync(), Buffer.from([...Buffer.from('abc'), STATE.surplus]));
    codec.close();
  });

  it('takes other parameters only after a flush: zlib keeps a pointer to the last output', async () => {
    const codec = new Codec(zlib.createDeflateRaw(), 'zlib');
    codec.params(9, 0);
    codec.feed(Buffer.from('hello '.repeat(100)), 'none');
    await codec.step();
    assert.throws(() => codec.params(0, 0), /not all input has been flushed/);
    codec.feed(Buffer.from('hello'), 'sync');
    const output = Buffer.from((await codec.step()).buffer);
    const before = Buffer.from(output);
    codec.params(0, 0);
    assert.deepEqual(output, before);
    codec.reset();
    codec.params(6, 0);
    codec.close();
  });

  it('may be closed during a step, which still ends', async () => {
    const codec = new Codec(zlib.createGunzip(), 'zlib');
    codec.feed(bomb, 'none');
    const step = codec.step();
    codec.close();
    assert.equal((await step).at(-1), STATE.more);
  });
});
