import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { toLines, toRecordLines } from './events.ts';

const toText = (event: Parameters<typeof toLines>[0]): string => stripVTControlCharacters(toLines(event).join('\n'));

describe('toLines()', () => {
  it('shows the token and where it is kept', () => {
    assert.match(
      toText({ event: 'token', token: 'abc', path: '/data/token' }),
      /abc\n.*shown this once.*\/data\/token/,
    );
  });

  it('shows an event it does not know as its fields', () => {
    assert.equal(toText({ event: 'cell-exit', cell: 2, signal: 'SIGSEGV' }), 'cell-exit  cell=2  signal=SIGSEGV');
  });
});

describe('toRecordLines()', () => {
  const RECORD = {
    event: 'fetch',
    outcome: 'exception',
    account: 'main',
    worker: 'hello',
    method: 'GET',
    url: 'http://x/',
    status: 500,
    cpuUs: 1500,
    logs: [{ level: 'log', message: 'hi' }],
    exceptions: [{ name: 'Error', message: 'no', stack: '    at fetch (index.ts:1:2)' }],
  };
  const toPlain = (record: unknown): string => stripVTControlCharacters(toRecordLines(record).join('\n'));

  it('shows an invocation with its logs and exceptions', () => {
    const lines = [
      'exception  main/hello  GET http://x/ 500 1.5 ms CPU',
      '  log  hi',
      '  Error: no\n    at fetch (index.ts:1:2)',
    ];
    assert.equal(toPlain(RECORD), lines.join('\n'));
  });

  it("keeps a tenant's control characters off the operator's terminal", () => {
    const text = toRecordLines({ ...RECORD, logs: [{ level: 'log', message: '\u001b[2Jgone\u0007\nnext' }] }).join('');
    assert.doesNotMatch(text.replaceAll(/\u001b\[\d+m/g, ''), /[\u001b\u0007]/); // oxlint-disable-line no-control-regex -- that is what must not be there
    assert.match(text, /gone.\nnext/);
  });

  it('shows what it can of a record that a broken cell wrote', () => {
    assert.equal(
      toPlain({ ...RECORD, logs: 5, exceptions: [null], cpuUs: 'x' }),
      'exception  main/hello  GET http://x/ 500 0.0 ms CPU',
    );
    assert.deepEqual(toRecordLines('nonsense'), []);
  });
});
