import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8Decode, utf8Encode } from '../encoding/utf8.ts';
// oxlint-disable-next-line import/no-unassigned-import -- a part registers itself when it is loaded
import '../parts/streams.ts';
import { Blob, encodeFormData, File, FormData, parseMultipart, parseUrlencodedForm } from '../parts/forms.ts';

describe('Blob', () => {
  it('joins parts and shares nothing with their buffers', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const blob = new Blob([bytes.subarray(1), 'a', new Blob(['b'])], { type: 'Text/X' });
    bytes.fill(9);
    assert.deepEqual([...(await blob.bytes())], [2, 3, 97, 98]);
    assert.equal(blob.type, 'text/x');
  });

  it('slices with indexes from either end', async () => {
    const blob = new Blob(['abcdef']);
    assert.equal(await blob.slice(-3, -1).text(), 'de');
    assert.equal(await blob.slice(4, 99, 'a/b').text(), 'ef');
    assert.equal(blob.slice(3, 1).size, 0);
  });

  it('streams its bytes in pieces, also into a reader’s own buffer', async () => {
    const blob = new Blob([new Uint8Array(200_000)]);
    let length = 0;
    for await (const chunk of blob.stream()) length += chunk.length;
    assert.equal(length, 200_000);
    const reader = new Blob(['abc']).stream().getReader({ mode: 'byob' });
    assert.equal(utf8Decode((await reader.read(new Uint8Array(8))).value as Uint8Array), 'abc');
    assert.equal((await reader.read(new Uint8Array(8))).done, true);
  });
});

describe('FormData', () => {
  it('makes a File of a Blob, and keeps the order of names', () => {
    const data = new FormData();
    data.append('a', '1');
    data.append('b', new Blob(['x']), 'x.txt');
    data.append('a', '2');
    data.set('a', '3');
    assert.deepEqual([...data.keys()], ['a', 'b']);
    assert.equal((data.get('b') as File).name, 'x.txt');
    assert.deepEqual(data.getAll('a'), ['3']);
    assert.throws(() => data.append('c', 'text', 'name'), TypeError);
  });
});

describe('multipart/form-data', () => {
  it('comes back as it went, names and empty values included', async () => {
    const data = new FormData();
    data.append('q"\r\n', 'a\nb');
    data.append('empty', '');
    data.append('file', new File(['\r\n--x'], 'f "1".bin', { type: 'a/b' }));
    const { boundary, bytes } = encodeFormData(data);
    const parsed = parseMultipart(bytes, boundary);
    assert.deepEqual([...parsed.keys()], ['q"\r\n', 'empty', 'file']);
    assert.equal(parsed.get('q"\r\n'), 'a\r\nb');
    const file = parsed.get('file') as File;
    assert.deepEqual([file.name, file.type, await file.text()], ['f "1".bin', 'a/b', '\r\n--x']);
  });

  it('refuses what is not one', () => {
    const head = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
    const bad = [
      '',
      'x',
      '--b',
      '--bx\r\n',
      head,
      `${head}v`,
      `${head}v\r\n--b`,
      `${head}v\r\n--b--x`,
      '--b\r\n\r\nv\r\n--b--',
      '--b\r\nContent-Disposition: attachment; name="a"\r\n\r\nv\r\n--b--',
      '--b\r\nContent-Disposition: form-data; name="a\r\n\r\nv\r\n--b--',
      `--b\r\nX: ${'x'.repeat(20_000)}\r\n\r\nv\r\n--b--`,
    ];
    for (const text of bad) assert.throws(() => parseMultipart(utf8Encode(text), 'b'), TypeError, JSON.stringify(text));
    assert.equal(parseMultipart(utf8Encode(`${head}v\r\n--b--\r\n`), 'b').get('a'), 'v');
    assert.equal([...parseMultipart(utf8Encode('--b--'), 'b')].length, 0);
  });

  it('takes linear time for a body that is nearly all boundary', () => {
    const head = '--bb\r\nContent-Disposition: form-data; name="a"\r\n\r\n';
    const body = `${head}${'\r\n--b'.repeat(100_000)}\r\n--bb--`;
    assert.equal((parseMultipart(utf8Encode(body), 'bb').get('a') as string).length, 500_000);
  });
});

describe('parseUrlencodedForm()', () => {
  it('reads names and values', () => {
    assert.deepEqual(
      [...parseUrlencodedForm(utf8Encode('a=1&b=%C3%A9+'))],
      [
        ['a', '1'],
        ['b', '\u00e9 '],
      ],
    );
  });
});
