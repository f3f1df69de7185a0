import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AbortController,
  AbortSignal,
  addAbortAlgorithm,
  DOMException,
  Event,
  EventTarget,
  setErrorReporter,
  setTimers,
} from './index.ts';
import { CustomEvent, ErrorEvent } from '../parts/events.ts';

describe('EventTarget', () => {
  it('calls listeners in order: capturing ones first, each once for a callback', () => {
    const target = new EventTarget();
    const calls: string[] = [];
    const listener = (): void => void calls.push('a');
    target.addEventListener('x', listener);
    target.addEventListener('x', listener);
    target.addEventListener('x', { handleEvent: () => void calls.push('b') });
    target.addEventListener('x', () => void calls.push('capture'), true);
    target.addEventListener('x', () => void calls.push('once'), { once: true });
    target.dispatchEvent(new Event('x'));
    target.removeEventListener('x', listener);
    target.dispatchEvent(new Event('x'));
    assert.deepEqual(calls, ['capture', 'a', 'b', 'once', 'capture', 'b']);
  });

  it('a listener that throws is reported and stops nobody else', () => {
    const reported: unknown[] = [];
    setErrorReporter((error) => void reported.push(error));
    const target = new EventTarget();
    let heard = false;
    target.addEventListener('x', () => {
      throw new Error('boom');
    });
    target.addEventListener('x', () => (heard = true));
    assert.equal(target.dispatchEvent(new Event('x')), true);
    assert.equal(heard, true);
    assert.match(String(reported[0]), /boom/);
  });

  it('tells whether an event was canceled, heeding passive listeners', () => {
    const target = new EventTarget();
    target.addEventListener('x', (event) => event.preventDefault(), { passive: true });
    assert.equal(target.dispatchEvent(new Event('x', { cancelable: true })), true);
    target.addEventListener('x', (event) => event.preventDefault());
    assert.equal(target.dispatchEvent(new Event('x', { cancelable: true })), false);
  });

  it('drops a listener when its signal aborts', () => {
    const target = new EventTarget();
    const controller = new AbortController();
    let calls = 0;
    target.addEventListener('x', () => calls++, { signal: controller.signal });
    target.dispatchEvent(new Event('x'));
    controller.abort();
    target.dispatchEvent(new Event('x'));
    assert.equal(calls, 1);
  });

  it('a listener added while dispatching is not called; one removed is not called', () => {
    const target = new EventTarget();
    const calls: string[] = [];
    const second = (): void => void calls.push('second');
    target.addEventListener('x', () => {
      target.addEventListener('x', () => void calls.push('late'));
      target.removeEventListener('x', second);
    });
    target.addEventListener('x', second);
    target.dispatchEvent(new Event('x'));
    assert.deepEqual(calls, []);
  });

  it('events carry what they were made with', () => {
    assert.equal(new CustomEvent('x', { detail: 1 }).detail, 1);
    assert.equal(new ErrorEvent('error', { error: 2, message: 'm' }).error, 2);
    assert.equal(Object.prototype.toString.call(new Event('x')), '[object Event]');
    assert.throws(() => new (Event as unknown as new () => Event)(), TypeError);
  });
});

describe('AbortSignal', () => {
  it('runs the runtime before listeners, each once', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the attribute is what is tested
    controller.signal.onabort = (event) => void calls.push(`${event.type} ${event.isTrusted}`);
    addAbortAlgorithm(controller.signal, () => void calls.push('runtime'));
    const cancel = addAbortAlgorithm(controller.signal, () => void calls.push('cancelled'));
    cancel();
    controller.abort('why');
    controller.abort('again');
    assert.deepEqual(calls, ['runtime', 'abort true']);
    assert.equal(controller.signal.reason, 'why');
    assert.throws(
      () => controller.signal.throwIfAborted(),
      (reason) => reason === 'why',
    );
  });

  it('any() follows each source, also through another any()', () => {
    const [a, b] = [new AbortController(), new AbortController()];
    const inner = AbortSignal.any([a.signal, b.signal]);
    const outer = AbortSignal.any([inner]);
    b.abort(1);
    assert.deepEqual([inner.aborted, outer.aborted, outer.reason], [true, true, 1]);
    assert.equal(AbortSignal.any([a.signal, AbortSignal.abort(2)]).reason, 2);
  });

  it('timeout() aborts with a TimeoutError when the timer is due', () => {
    let due: (() => void) | undefined;
    setTimers({
      set: (callback, ms) => {
        assert.equal(ms, 5);
        due = callback;
        return 1;
      },
      clear: () => undefined,
    });
    const signal = AbortSignal.timeout(5);
    assert.equal(signal.aborted, false);
    due?.();
    assert.equal((signal.reason as DOMException).name, 'TimeoutError');
    assert.throws(() => AbortSignal.timeout(-1), TypeError);
  });

  it('cannot be constructed', () => {
    assert.throws(() => new AbortSignal(), TypeError);
  });
});

describe('DOMException', () => {
  it('is an Error with a code, a stack and a cause', () => {
    const error = new DOMException('m', 'AbortError');
    assert.ok(error instanceof Error);
    assert.equal(Object.prototype.toString.call(error), '[object DOMException]');
    assert.deepEqual([error.name, error.message, error.code], ['AbortError', 'm', 20]);
    assert.match(error.stack, /^AbortError: m\n {4}at/);
    assert.equal((new DOMException('m', { cause: 1 }) as unknown as Error).cause, 1);
  });
});
