/**
 * The contract between the guest runtime (inside the isolate) and the cell (outside): numeric operations with plain
 * arguments. Only strings, numbers, booleans, undefined and ArrayBuffers cross, each copied; never an object, so that
 * no getter or proxy of a tenant is ever touched by the host.
 *
 * Host to guest: `enter(op, id, a, b, c, now, pooled)`, one function captured at boot. `now` is wall time in ms and is
 * what every clock shows until the next entry. `pooled` tells that the entry runs on a pool thread (then `host` calls
 * must go through the queued callback instead of the synchronous one). Microtasks drain before the entry ends.
 *
 * Guest to host: `host(op, id, a, b, c, d)`, answered by a later entry where an answer is due; and `hostSync(op, a)`
 * for the few questions that need their answer at once.
 *
 * Ids: invocations and in-streams (host to guest) are numbered by the host; calls, timers, WebSockets and out-streams
 * (guest to host) by the guest. All are positive integers, unique within an isolate's life.
 *
 * Heads are texts with one field a line, `\n` between fields. HTTP forbids line breaks in every field, and both sides
 * check theirs.
 */

/** Host to guest. */
export const ENTER = {
  /**
   * id invocation; a head `method\nurl\nname\nvalue\n…` (Latin-1 text, names as received, no trailing line break);
   * b body: undefined (none), or ArrayBuffer (whole); c in-stream id when the body streams, else 0.
   */
  fetch: 1,
  /** id invocation; a cron expression; b scheduled time in ms; c 1 when it makes up for due times that have passed. */
  scheduled: 2,
  /**
   * Result of a host call. id call; a 1 = ok, 0 = failed.
   * fetch ok: b head `status\nstatusText\nurl\nredirected(0|1)\nname\nvalue\n…`; c in-stream id (0 = no body) or the whole body as ArrayBuffer.
   * With status 101, the call's id is that of a WebSocket from here on.
   * failed: b error message.
   */
  deliver: 3,
  /** id in-stream; a bytes or undefined; b 0 = more follows, 1 = that was the end, 2 = failed; c error message when failed. */
  chunk: 4,
  /** id timer: it is due. */
  timer: 5,
  /** id invocation: its client has gone. Aborts `request.signal`. */
  abort: 6,
  /** id out-stream; a how many more bytes the peer takes, or -1: the peer takes no more at all (cancel the source). */
  credit: 7,
  /** id invocation: it is over for the host (limit or end): forget its timers, calls and streams; keep running nothing of it. */
  close: 8,
  /** Result of an `ask`. id call; a 1 = ok, 0 = failed; b the value as JSON, or `name\nmessage` of the error; c bytes or undefined. */
  answer: 9,
  /**
   * id call of `HOST.import`: modules are about to be evaluated for it, and no event is the current one meanwhile.
   * Answers false when nobody waits for it any more.
   */
  import: 20,
  /**
   * Result of `HOST.import`. id call; a '' or a JSON description of what was thrown; b the key that `put` has or will
   * have the namespace by, -1 when there is no such module. Answers true when the module waits in a top-level await.
   */
  imported: 21,
  /**
   * id WebSocket; a kind of `SOCKET_EVENT`; b text as string, bytes as ArrayBuffer, or the reason of a close; c code of a
   * close. After `close` and `lost` the id is not known any more; the host has answered a `close` with another.
   */
  socket: 10,
  /** As `fetch`, with the name of the export that answers as a line before the head. */
  fetchEntrypoint: 22,
  /**
   * id invocation; a JSON: a rejection of the entry before has no handler. `{ value }` (a primitive one), or name,
   * message and stack of an Error.
   */
  rejection: 25,
} as const;

export const SOCKET_EVENT = {
  text: 1,
  binary: 2,
  close: 3,
  /** The connection ended without a close. */
  lost: 4,
  /** Of one that was not accepted, or put through to a client: it is over. Not asked for by `socketPull`. */
  ended: 5,
} as const;

/** Guest to host. */
export const HOST = {
  /**
   * id invocation; a status; b head `statusText\nname\nvalue\n…` (just '' + `\n` fields; statusText may be empty);
   * c body: undefined, string (sent as UTF-8) or ArrayBuffer, whole or first bytes;
   * d 0 = complete; > 0 = out-stream id with the rest; -1 = complete, and the invocation is done as by `done` with 'ok'.
   */
  respond: 1,
  /** id out-stream; a string or ArrayBuffer. Only within credit (`OUT_STREAM_WINDOW` bytes at first). */
  write: 2,
  /** id out-stream. */
  end: 3,
  /** id out-stream; a message: the source failed. */
  fail: 4,
  /** id in-stream; a 0 = what is there next, as one chunk; 1 = everything to its end as one chunk. Answered by `chunk`. */
  pull: 5,
  /** id in-stream: the guest takes no more. */
  stop: 6,
  /**
   * id call; a invocation; b head `method\nurl\nredirect(follow|error|manual)\nname\nvalue\n…`;
   * c body: undefined, string, ArrayBuffer (whole), or number = out-stream id; d index of a binding in the version's
   * bindings, -1 for the network, or `CACHE_INDEX`. The cache (see there) and KV have heads of their own, both ways.
   * Answered by `deliver`.
   */
  fetch: 7,
  /** id call: its caller has aborted. No `deliver` follows. */
  cancel: 8,
  /** id timer; a invocation; b delay in ms. Answered once by `timer`; the guest re-arms intervals. */
  timer: 9,
  /** id timer. */
  clearTimer: 10,
  /** id invocation (0: start-up); a level (`debug|error|info|log|warn`); b the formatted line. */
  log: 11,
  /** id invocation; a `ok` or `exception`: handler settled and every `waitUntil` promise settled. Sent once. */
  done: 12,
  /** id invocation (0: start-up); a name; b message; c stack. */
  exception: 13,
  /** id invocation: `ctx.passThroughOnException()` was called. */
  passThrough: 14,
  /**
   * Asks a service of the host (src/cell/services). id call; a invocation; b operation `service.name`; c parameters as
   * JSON; d ArrayBuffer or undefined. Answered by `answer`.
   */
  ask: 15,
  /**
   * `import()`. id call; a invocation, or 0 while modules are evaluated; b number of the asking module (of `importer`
   * or `commonJs`); c specifier. Answered by `imported`; sent again once the module's top-level await is over.
   */
  import: 20,
  /**
   * id invocation; a head as in `respond`; b WebSocket id: a new one, or of one that was fetched and never pulled, which
   * is put through to the client then. Answers with status 101.
   */
  upgrade: 16,
  /** id WebSocket: the guest takes its next event, by one `socket`. */
  socketPull: 17,
  /** id WebSocket; a string or ArrayBuffer. */
  socketSend: 18,
  /** id WebSocket; a code (1005: none); b reason. */
  socketClose: 19,
} as const;

/** Guest to host, answered at once. */
export const HOST_SYNC = {
  /** a byte count up to 65,536; answers an ArrayBuffer of random bytes. */
  random: 1,
  /** a domain with non-ASCII or xn-- labels; answers its ASCII form by UTS 46, or undefined when invalid. */
  domainToAscii: 2,
  /** a name of a lazily loaded part of the guest runtime (see build/); answers its source text. */
  source: 3,
  /**
   * Asks a service what it answers at once. a operation; b parameters as JSON; c ArrayBuffer or undefined. Answers an
   * ArrayBuffer, or a string: the value as JSON, or `!name\nmessage` of the error.
   */
  ask: 4,
  /** a name of a binary that a part needs (see build/); answers an ArrayBuffer. */
  asset: 5,
  /** a number of the asking CommonJS module; b specifier. Answers what `require` means by it: see `resolveRequire`. */
  resolve: 20,
  /** a WebSocket id; answers how many bytes wait for its peer. */
  socketUnsent: 6,
  /** Answers the compiled `WebAssembly.Module` of engine/text-kernel.ts, or undefined when there is none. */
  textKernel: 7,
} as const;

/**
 * The `d` of a `HOST.fetch` to the account's cached responses. Its head is
 * `operation\nurl\nflags\ncache\nname\nvalue…`, the fields being those of the request. flags: `s` ignores the query of
 * URLs, `v` what responses vary by. cache: `d` is the default one, `n` and a name (as the guest encodes it) any other.
 *
 * - `match`: answered with 200 and a cached response, or 404. With no cache: of the first that has one.
 * - `put`: after the request's fields an empty line, then `status\nstatusText\nurl\nredirected(0|1)\nname\nvalue…` of the
 *   response, and its body. 204: stored; 413: it may not be, or there is no room.
 * - `delete`: 204, or 404 when there was none.
 * - `find`: 200 and, as the body, `id\nurl\nname\nvalue…` of each stored request, an empty line after each. With no url: all.
 * - `get`: a cached response by such an id, as the url.
 * - `names`: 200 and, as the body, a line for each cache but the default one.
 * - `has`, `drop`: is there such a cache; deletes it. 204 or 404.
 *
 * The head of the answer is the outcome, a line break, and for 200 of `match` and `get` the cached response:
 * `status\nstatusText\nurl\nredirected\nname\nvalue\n…`.
 */
export const CACHE_INDEX = -2;

/**
 * The head of a `HOST.fetch` to a KV namespace is an operation and its parameters, a line each. Keys, prefixes and
 * metadata (JSON) by `encodeURIComponent`; numbers in decimal; '' for what is not given.
 *
 * - `get\nkey`: 200, metadata as the head and the value as the body; or 404.
 * - `many`, with keys as the body, a line each: 200 and, for each, u32 length of the value (2^32 - 1: there is none), u32
 *   length of the metadata, metadata, value; numbers little-endian.
 * - `list\nprefix\nlimit\ncursor`: 200 and, as the body, JSON `{ keys: [{ name, expiration?, metadata? }], cursor }`; a cursor
 *   of null when there are no more.
 * - `put\nkey\nexpiration\nttl\nmetadata`, and as after every head of a stream whose length is known,
 *   `\ncontent-length\nbytes`; the value as the body: 204.
 * - `delete\nkey`: 204.
 *
 * The head of the answer is the status, a line break, and that head or, for other statuses, a message. 404 without one
 * means that there is no such key.
 */
export const KV_STATUS = { ok: '200', done: '204', none: '404' } as const;

/** Bytes a guest may write to an out-stream before the first `credit`. */
export const OUT_STREAM_WINDOW = 64 * 1024;

/**
 * What the guest bundle leaves on the global as `__isola`, for the engine alone, which deletes it after `boot`.
 *
 * `boot(host, hostQueued, hostSync, optionsJson)` takes the three callbacks (`host` synchronous for entries inline,
 * `hostQueued` for entries on the pool), hardens the global, and returns the entry points.
 */
export interface GuestBoot {
  boot(host: HostFunction, hostQueued: HostFunction, hostSync: HostSyncFunction, optionsJson: string): GuestEntryPoints;
  /** While a snapshot is made: evaluates a part now, which isolates from this snapshot then have from the start. */
  preload(name: string, factory: unknown): void;
  /** For tests, before `boot`: from then on relative URLs are relative to this one. */
  setBaseUrl(href: string): void;
}

export type HostFunction = (op: number, id: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown) => void;
export type HostSyncFunction = (op: number, a: unknown, b?: unknown, c?: unknown) => unknown;

/** All but `enter` and `describe` are called while the code is loaded, or to load more of it. */
export interface GuestEntryPoints {
  enter(op: number, id: number, a: unknown, b: unknown, c: unknown, now: number, pooled: boolean): unknown;
  /**
   * Makes the value that a module which is not JavaScript exports, from its bytes, and keeps it. Answers its slot, by
   * which `take` finds it.
   */
  provide(kind: 'text' | 'data' | 'json' | 'wasm', bytes: ArrayBuffer): number;
  /** `ConfigureOptions` as JSON. After `provide`, before any module is linked. */
  configure(optionsJson: string): void;
  /** The exports of a module of the runtime's own, such as `cloudflare:workers`: `slot\nname,name…`, '' for none. */
  builtin(specifier: string): string;
  /** What replaces `import` in a module: answers its slot, which is also the module's number in `HOST.import`. */
  importer(name: string, isMain: boolean): number;
  /** Keeps a CommonJS module, not run yet. Answers the slot of a function that runs it once and answers its exports. */
  commonJs(factory: unknown, name: string): number;
  /** For made modules (engine/made-modules.ts). */
  take(slot: number): unknown;
  /** For made modules: the namespace of a module that has been evaluated. */
  put(key: number, namespace: object): void;
  /**
   * After evaluation: the main module's namespace, or nothing for a service-worker script. Returns the names of the
   * handlers found (`fetch`, `scheduled`) joined by commas; throws a TypeError when there are none.
   */
  attach(namespace?: unknown): string;
  /** For start-up errors: `name\nmessage\nstack` of a thrown value, reading it defensively. */
  describe(error: unknown): string;
}

/** Options of `boot`, as JSON. Known before the tenant is. */
export interface BootOptions {
  readonly now: number;
  readonly maxTimers: number;
  readonly maxPendingHostCalls: number;
  readonly maxWasmInstances: number;
  /** Each WebAssembly memory of the isolate may grow to this. */
  readonly memoryMiB: number;
}

/** Options of `configure`, as JSON: the version's bindings in order, and limits that the guest keeps itself. */
export interface ConfigureOptions {
  readonly bindings: readonly BindingOptions[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly subrequests: number;
  /** Bindings are globals too: a service-worker script has no `env`. */
  readonly asGlobals?: boolean;
}

export type BindingOptions =
  | { readonly type: 'plain_text'; readonly name: string; readonly text: string }
  | { readonly type: 'json'; readonly name: string; readonly json: unknown }
  | { readonly type: 'assets' | 'service'; readonly name: string }
  | { readonly type: 'kv_namespace'; readonly name: string }
  /** A file of the upload; the engine adds the slot of its value. */
  | { readonly type: 'part'; readonly name: string; readonly part: string; readonly slot?: number }
  | {
      readonly type: 'version_metadata';
      readonly name: string;
      readonly id: string;
      readonly tag: string;
      readonly timestamp: string;
    };
