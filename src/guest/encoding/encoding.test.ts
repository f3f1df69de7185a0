import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
// oxlint-disable-next-line import/no-unassigned-import -- a part registers itself when it is loaded
import '../parts/legacy-encodings.ts';
// oxlint-disable-next-line import/no-unassigned-import -- a part registers itself when it is loaded
import '../parts/multi-byte.ts';
import { ReadableStream, TextDecoderStream, TextEncoderStream } from '../parts/streams.ts';
import { atob, btoa, captureBase64, TextDecoder, TextEncoder, utf8Decode, utf8Encode } from './index.ts';

captureBase64();
const NativeDecoder = globalThis.TextDecoder;
const native = (text: string): number[] => [...new globalThis.TextEncoder().encode(text)];
const TEXTS = [
  '',
  'a',
  '\x7f\x80',
  'h\u00e9llo',
  '\u20ac',
  '\u{1d11e}',
  'x\ud800',
  '\udc00y',
  '\ud800\ud800\udc00',
  'z'.repeat(9000) + '\u00e9',
];

describe('utf8', () => {
  it('encodes as the platform does, lone surrogates included', () => {
    for (const text of TEXTS) {
      assert.deepEqual([...utf8Encode(text)], native(text));
      assert.equal(utf8Encode(text).buffer.byteLength, native(text).length);
    }
  });

  it('decodes every sequence of up to four odd bytes as the platform does', () => {
    const odd = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5];
    const reference = new NativeDecoder('utf-8', { ignoreBOM: true });
    const bytes = new Uint8Array(4);
    for (const a of odd) {
      for (const b of odd) {
        for (const c of odd) {
          for (const d of odd) {
            bytes.set([a, b, c, d]);
            assert.equal(utf8Decode(bytes), reference.decode(bytes));
          }
        }
      }
    }
  });
});

describe('TextDecoder', () => {
  it('keeps a stream of single bytes together', () => {
    for (const encoding of ['utf-8', 'utf-16le', 'utf-16be']) {
      const bytes = Uint8Array.of(0xff, 0xfe, 0x3d, 0xd8, 0xa9, 0xdc, 0xe2, 0x82, 0xac, 0xf0, 0x9f);
      const decoder = new TextDecoder(encoding);
      let text = '';
      for (const byte of bytes) text += decoder.decode(Uint8Array.of(byte), { stream: true });
      assert.equal(text + decoder.decode(), new NativeDecoder(encoding).decode(bytes), encoding);
    }
  });

  it('drops one byte order mark unless told not to', () => {
    const bytes = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);
    assert.equal(new TextDecoder().decode(bytes), 'a');
    assert.equal(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), '\ufeffa');
  });

  it('throws for malformed bytes when fatal, and can be used again', () => {
    const decoder = new TextDecoder('utf8', { fatal: true });
    assert.throws(() => decoder.decode(Uint8Array.of(0xff)), TypeError);
    assert.equal(decoder.decode(Uint8Array.of(0x61)), 'a');
    assert.throws(() => decoder.decode(Uint8Array.of(0xe2, 0x82)), TypeError);
  });

  it('knows labels and single-byte encodings', () => {
    assert.equal(new TextDecoder(' Latin1 ').encoding, 'windows-1252');
    assert.equal(new TextDecoder('windows-1252').decode(Uint8Array.of(0x80)), '\u20ac');
    assert.equal(new TextDecoder('koi8-r').decode(Uint8Array.of(0xc1)), '\u0430');
    assert.throws(() => new TextDecoder('nope'), RangeError);
  });

  it('knows the multi-byte encodings', () => {
    assert.equal(new TextDecoder('shift_jis').decode(Uint8Array.of(0x82, 0xa0)), '\u3042');
  });
});

describe('TextEncoder', () => {
  it('encodes into a buffer, whole characters only', () => {
    const target = new Uint8Array(5);
    assert.deepEqual(new TextEncoder().encodeInto('a\u20ac\u20ac', target), { read: 2, written: 4 });
    assert.deepEqual(new TextEncoder().encodeInto('\u{1d11e}', target.subarray(0, 3)), { read: 0, written: 0 });
  });
});

describe('encoding streams', () => {
  it('join what chunks cut in two', async () => {
    const text = ReadableStream.from(['a\ud83d', '\udca9b\ud800'])
      .pipeThrough(new TextEncoderStream())
      .pipeThrough(new TextDecoderStream());
    assert.equal((await Array.fromAsync(text)).join(''), 'a\u{1f4a9}b\ufffd');
  });
});

describe('base64', () => {
  it('atob() and btoa() are inverse on Latin-1', () => {
    const all = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
    assert.equal(atob(btoa(all)), all);
    assert.equal(atob(' Y W I '), 'ab');
  });

  it('throw an InvalidCharacterError otherwise', () => {
    for (const text of ['a', 'ab=', 'ab===', '*', 'abcd=']) {
      assert.throws(() => atob(text), { name: 'InvalidCharacterError' }, text);
    }
    assert.throws(() => btoa('\u20ac'), { name: 'InvalidCharacterError', code: 5 });
  });
});
