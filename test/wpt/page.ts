/**
 * What stands in for the page a test is loaded by. Its text is evaluated where the test runs, in an isolate or in a
 * Node process, so it holds on to nothing of this module.
 */

export interface Page {
  /** Source of resources/testharness.js. */
  readonly harness: string;
  /** The scripts that META names and the test itself. They see each other's declarations, as scripts of a page do. */
  readonly script: string;
  readonly title: string;
  readonly href: string;
  readonly timeoutMs: number;
}

/** Numbers as in testharness.js: 0 is a pass. */
export interface PageResult {
  readonly harness: { readonly status: number; readonly message: string };
  readonly tests: readonly (readonly [name: string, status: number, message: string])[];
}

interface HarnessTest {
  /** Meant to be a string; a test may give anything. */
  readonly name: string | symbol;
  readonly status: number;
  readonly message: string | null;
}

interface HarnessStatus {
  readonly status: number;
  readonly message: string | null;
}

interface HarnessScope {
  setup(options: object): void;
  done(): void;
  timeout(): void;
  add_result_callback(callback: (test: HarnessTest) => void): void;
  add_completion_callback(callback: (tests: HarnessTest[], status: HarnessStatus) => void): void;
}

/** Runs a page. `evaluate` takes a script as `eval` by another name does: in the global scope. Resolves to JSON. */
export function runPage(page: Page, evaluate: (source: string) => unknown): Promise<string> {
  // Before a test has patched them.
  const { JSON, Promise, setTimeout, clearTimeout, String, Object, URL } = globalThis;
  const scope = globalThis as unknown as HarnessScope & Record<string, unknown>;
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(scope, name, { value, writable: true, enumerable: false, configurable: true });
  };
  const url = new URL(page.href);
  const location: Record<string, unknown> = { toString: () => url.href };
  for (const key of ['href', 'origin', 'protocol', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const) {
    location[key] = url[key];
  }
  define('self', globalThis);
  define('location', location);
  define('META_TITLE', page.title);
  define('GLOBAL', { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false });
  define('isSecureContext', true);
  return new Promise((resolve) => {
    const tests: [string, number, string][] = [];
    const answer = (status: number, message: string): void => {
      clearTimeout(timer);
      resolve(JSON.stringify({ harness: { status, message }, tests }));
    };
    const timer = setTimeout(() => {
      scope.timeout();
      setTimeout(() => answer(2, 'cleaning up took too long'), 1000);
    }, page.timeoutMs);
    evaluate(page.harness);
    // idlharness.js asks what kind of global this is; testharness.js must not, or it would wait for messages.
    class DedicatedWorkerGlobalScope {
      static [Symbol.hasInstance](value: unknown): boolean {
        return value === globalThis;
      }
    }
    define('DedicatedWorkerGlobalScope', DedicatedWorkerGlobalScope);
    scope.setup({ explicit_done: true, explicit_timeout: true });
    scope.add_result_callback((test) => {
      tests[tests.length] = [String(test.name), test.status, test.message ?? ''];
    });
    scope.add_completion_callback((_, status) => answer(status.status, status.message ?? ''));
    try {
      evaluate(page.script);
    } catch (error) {
      answer(1, String((error as { stack?: unknown } | null)?.stack ?? error));
    }
    scope.done();
  });
}
