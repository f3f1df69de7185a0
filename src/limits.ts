/**
 * Every limit of the platform, with its unit. `docs/limits.md` explains them to users; a test compares the two.
 *
 * The first group can be set per account and per Worker (`WorkerLimits`); the rest is the same for everybody.
 */

/** Limits an operator may set per account and a Worker's owner may lower (or, up to `MAX_CPU_MS`, raise) per Worker. */
export interface WorkerLimits {
  /** CPU time of one invocation, in ms. */
  readonly cpuMs: number;
  /** V8 heap and ArrayBuffers of one instance, and each of its WebAssembly memories, in MiB. */
  readonly memoryMiB: number;
  /** Subrequests (fetch and service bindings) of one invocation. */
  readonly subrequests: number;
  /** Each WebAssembly binary that the Worker compiles itself, in MiB; 0: it compiles none. Uploaded modules do not count. */
  readonly wasmBinaryMiB: number;
}

export const DEFAULT_LIMITS: WorkerLimits = {
  cpuMs: 50,
  memoryMiB: 128,
  subrequests: 50,
  wasmBinaryMiB: 16,
};

/** The limits that apply: the defaults, overridden by each layer in turn. */
export function resolveLimits(...layers: readonly (Partial<WorkerLimits> | undefined)[]): WorkerLimits {
  return Object.assign({}, DEFAULT_LIMITS, ...layers) as WorkerLimits;
}

export const MAX_CPU_MS = 300_000; // 5 min: batch jobs; longer work belongs in a queue
export const MAX_MEMORY_MIB = 1_024;
export const MAX_SUBREQUESTS = 1_000;
export const MAX_WASM_BINARY_MIB = 16; // compiled binaries that are alive in one instance have no more together

export const STARTUP_CPU_MS = 400; // evaluating the modules' top level
export const WAIT_UNTIL_WALL_MS = 30_000; // after the response has been sent or the client has gone
export const MAX_UPLOAD_BYTES = 10 * 1024 * 1024; // all modules together, gzip-compressed
export const MAX_UPLOAD_RAW_BYTES = 64 * 1024 * 1024; // the same, before compression: bounds memory while parsing
export const MAX_MODULES = 1_000; // of one upload
export const MAX_MODULE_NAME_CHARS = 512;
export const MAX_SOURCE_MAP_BYTES = 32 * 1024 * 1024; // of one that is used; the map of a bundle of 10 MB has some 24
export const MAX_METADATA_BYTES = 1024 * 1024; // of one upload: bindings with their values, dates, annotations
export const MAX_BINDINGS = 256; // of one version
export const MAX_SECRET_BYTES = 5 * 1024; // of one secret's value, in UTF-8; the same as in Workers
export const MAX_REQUEST_HEADER_BYTES = 128 * 1024;
export const MAX_REQUEST_HEADERS = 1_000;
export const MAX_URL_BYTES = 16 * 1024;
export const MAX_REQUEST_BODY_BYTES = 100 * 1024 * 1024;
export const ADDRESS_CONNECTIONS = 2_000; // open at once of one client address: an office behind one, or a proxy that is not trusted
export const ADDRESS_REQUESTS = 2_000; // under way at once of one client address; HTTP/2 has up to 100 on a connection
export const ACCOUNT_REQUESTS = 20_000; // under way at once for one account's Workers, open WebSockets among them
export const MAX_OPEN_CONNECTIONS = 6; // subrequests of one invocation waiting for response headers; further ones queue
export const MAX_LOG_BYTES = 256 * 1024; // of one invocation, each line counted with 64 more; the rest is dropped and the record marked truncated
export const MAX_SERVICE_DEPTH = 32; // service bindings calling service bindings
export const MAX_SERVICE_CALLS = 256; // through service bindings, of everything that one request sets off; each has a CPU budget of its own
export const MAX_WEB_SOCKETS = 8_192; // open at once in one instance, of clients and to servers
export const MAX_WEB_SOCKET_MESSAGE_BYTES = 32 * 1024 * 1024; // either way; the same as in Workers
export const MAX_WEB_SOCKET_FRAGMENTS = 4_096; // of one message that comes in: each costs memory beside its bytes; 8 KiB each make the largest message
export const MAX_TIMERS = 1_000; // pending at once in one instance
export const MAX_PENDING_HOST_CALLS = 1_000; // of one instance
export const MAX_CRYPTO_HANDLES = 10_000; // CryptoKeys and DigestStreams of one instance that have not been collected
export const MAX_KEY_DATA_BYTES = 65_536; // to import or unwrap one key from
export const MAX_CRYPTO_OUTPUT_BYTES = 1024 * 1024; // of one derivation, or one hash whose length can be chosen
export const MAX_PBKDF2_ROUNDS = 1_000_000; // iterations for each block of output together: 0.15 to 1.1 s
export const MAX_ARGON2_MEMORY_KIB = 65_536;
export const MAX_ARGON2_WORK_KIB = 262_144; // memory times passes: 0.35 s
export const MAX_RSA_BITS = 8_192; // of a key that is imported
export const MAX_RSA_GENERATED_BITS = 4_096; // of a new key: 1 s on average, the time rises with the fourth power
export const MAX_WASM_INSTANCES = 64; // with a memory of their own, alive in one instance
export const MAX_COMPRESSION_STREAMS = 256; // open in one instance; their memory counts as the instance's
export const CACHE_BYTES = 64 * 1024 * 1024; // of a node, for the cached responses of all accounts; an account has half of it at most
export const MAX_CACHED_BODY_BYTES = 16 * 1024 * 1024; // of one response
export const MAX_CACHE_ENTRIES = 10_000; // of one account
export const MAX_CACHE_VARIANTS = 100; // of one URL, by what its responses vary
export const MAX_REDIRECTS = 20; // Fetch standard, HTTP-redirect fetch step 7
export const MAX_LOOP_HOPS = 16; // Workers that a request may pass by way of the network, one fetching the next
export const MAX_FETCH_RESPONSE_BYTES = 1024 * 1024 * 1024; // of one response, after decompression: more than any instance can hold, so it is streamed
export const FETCH_WALL_MS = 3_600_000; // from the start of a fetch to the last byte of its response; not of WebSockets
export const MAX_EGRESS_HOSTS = 1_000; // that one account's allow list may have, and its deny list
export const API_REQUESTS_PER_TOKEN = 1_200; // of the control API, a minute; a deploy takes about a dozen
export const API_REQUESTS_PER_ADDRESS = 2_400; // the same, whatever the tokens
export const API_WRONG_TOKENS_PER_ADDRESS = 60; // a minute; then even good tokens have to wait
export const MAX_ACCOUNT_BODY_BYTES = 256 * 1024 * 1024; // of requests of one account under way: four of the largest uploads
export const MAX_BODY_BYTES = 1024 * 1024 * 1024; // of all accounts together
export const TRY_REQUEST_CHARS = 256 * 1024; // body of a request by the Try-it button of the dashboard
export const TRY_ANSWER_BYTES = 256 * 1024; // shown of the answer's body; the rest is not read
export const TRY_TIMEOUT_MS = 30_000; // for the whole of it
export const MAX_ROUTES = 1_000; // route patterns and custom domains of one account
export const MAX_ROUTE_PATH_CHARS = 1_024; // of a route pattern
export const MAX_ZONES = 500; // of one account, with those it has asked for and not proven
export const MAX_PREVIEW_VERSIONS = 1_000; // of one Worker that have a preview URL: the newest
export const MAX_HTTP2_STREAMS = 100; // requests under way on one HTTP/2 connection
export const MAX_ASSETS = 20_000; // files of one version
export const MAX_ASSET_BYTES = 25 * 1024 * 1024; // of one file
export const MAX_ASSET_PATH_CHARS = 1_024; // of one file, from its folder on
export const MAX_ACCOUNT_ASSETS = 200_000; // files that an account has uploaded, of all its versions; the same content is one
export const MAX_ACCOUNT_ASSET_BYTES = 10 * 1024 * 1024 * 1024; // of those together
export const KEPT_VERSIONS = 1_000; // of an account, of all its Workers together; older ones go
export const KEPT_VERSION_BYTES = 1024 * 1024 * 1024; // of their modules and source maps; the same content is one
export const ASSET_UPLOAD_MS = 3_600_000; // from the beginning of an upload to the version that it is for
export const MAX_STATIC_REDIRECTS = 2_000; // lines of _redirects before the first one with * or :name
export const MAX_DYNAMIC_REDIRECTS = 100; // the other lines
export const MAX_HEADER_RULES = 100; // paths in _headers
export const MAX_WORKER_FIRST_RULES = 100; // patterns in run_worker_first, of 100 characters each
export const MAX_SCHEDULES = 100; // cron triggers of one Worker
export const MAX_CRON_CHARS = 200; // of one expression
export const MAX_RUNNING_SCHEDULED = 100; // scheduled events of one account that run at once; further ones wait
export const TAIL_EVENTS_PER_SECOND = 200; // of one tailed Worker and cell; further ones are left out, and the tail is told
export const TAIL_BYTES_PER_SECOND = 4 * 1024 * 1024; // the same, of what they logged
export const MAX_TAILS_PER_WORKER = 10; // sessions at once
export const MAX_TAILS_PER_ACCOUNT = 50;
export const MAX_TAILS = 1_000; // of all accounts
export const TAIL_SESSION_MS = 6 * 60 * 60_000; // then wrangler ends, and has to be started again
export const TAIL_UNCONNECTED_MS = 60_000; // a session that nobody is connected to
export const MAX_TAIL_BACKLOG_BYTES = 2 * 1024 * 1024; // waiting for one client; what comes meanwhile is left out
export const MAX_TAIL_FILTERS = 20; // of one session
export const KEPT_LOG_DAYS = 7;
export const KEPT_LOG_BYTES = 256 * 1024 * 1024; // of one account, with their index
export const MAX_LOG_STORE_BYTES = 8 * 1024 * 1024 * 1024; // of all accounts
export const LOG_BYTES_PER_SECOND = 1024 * 1024; // of one account, over a while; further lines are left out, and counted
export const LOG_BURST_SECONDS = 8; // how long an account that was silent may log faster than any rate: so many seconds' worth at once
export const MAX_LOG_BACKLOG_BYTES = 16 * 1024 * 1024; // waiting for the disk, of which one account has a quarter at most
export const MAX_KV_NAMESPACES = 1_000; // of one account; the same as in Workers
export const MAX_KV_KEY_BYTES = 512; // in UTF-8; the same as in Workers, like the four below
export const MAX_KV_VALUE_BYTES = 25 * 1024 * 1024;
export const MAX_KV_METADATA_BYTES = 1_024; // as JSON
export const MIN_KV_TTL_S = 60; // from a put to its expiration
export const MAX_KV_LIST_KEYS = 1_000; // of one call of list
export const MAX_KV_KEYS_READ = 100; // by one call of get; with MAX_KV_VALUE_BYTES together
export const MAX_KV_BULK_ENTRIES = 10_000; // of one bulk request of the API
export const MAX_KV_BULK_BYTES = 32 * 1024 * 1024; // of such a request, as JSON
export const MAX_ACCOUNT_KV_BYTES = 10 * 1024 * 1024 * 1024; // keys, values and metadata of all its namespaces
export const MAX_KV_PENDING_BYTES = 64 * 1024 * 1024; // values above 64 KiB on their way, of one account; further ones wait
