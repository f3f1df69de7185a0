/** What the suite's `eventsource/resources/*.py` do, by their path. */
import { type Answer, type Handler, pause, type TestRequest } from './handler.ts';

const FOLDER = '/eventsource/resources';
const EVENT_STREAM = ['Content-Type', 'text/event-stream'] as const;

/** Of message2.py: what it sends every two seconds. */
const MESSAGES = 'data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n';

function cookie(request: TestRequest, name: string): string | undefined {
  const cookies = (request.header('cookie') ?? '').split(/; */);
  return cookies.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A query's or a header's text, a character for each byte, as it was sent. */
function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

async function message(request: TestRequest): Promise<Answer> {
  const end = request.query('newline') === 'none' ? '' : '\n\n';
  const sleep = Number(request.query('sleep') ?? 0);
  if (sleep > 0) await pause(request, sleep);
  return {
    headers: [['Content-Type', request.query('mime') ?? 'text/event-stream']],
    body: bytes(`${request.query('message') ?? 'data: data'}${end}\n`),
  };
}

async function message2(request: TestRequest): Promise<undefined> {
  const { response } = request;
  response.writeHead(200, ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-cache']);
  while (!response.destroyed) {
    response.write(MESSAGES);
    // oxlint-disable-next-line no-await-in-loop -- in turn
    await pause(request, 2_000);
  }
}

function lastEventId(request: TestRequest): Answer {
  const id = request.header('last-event-id');
  const fresh = Buffer.concat([
    Buffer.from('id: '),
    request.query('idvalue') === undefined ? Buffer.from('\u2026') : bytes(request.query('idvalue') ?? ''),
    Buffer.from('\nretry: 200\ndata: hello\n\n'),
  ]);
  return { headers: [EVENT_STREAM], body: id === undefined ? fresh : bytes(`data: ${id}\n\n`) };
}

const LAST_EVENT_IDS: Readonly<Record<string, string>> = {
  1: 'id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n',
  2: 'id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n',
  3: 'id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n',
};

function reconnectFail(request: TestRequest): Answer {
  const name = `recon_fail_${request.query('id')}`;
  const state = cookie(request, name);
  const set = (value: string) => ['Set-Cookie', `${name}=${value}; Path=/`] as const;
  if (state === 'opened') return { headers: [EVENT_STREAM, set('reconnected')], body: 'data: reconnected\n\n' };
  if (state === 'reconnected') return { status: 204, headers: [EVENT_STREAM, set('; Max-Age=0')] };
  return { headers: [EVENT_STREAM, set('opened')], body: 'retry: 2\ndata: opened\n\n' };
}

function statusError(request: TestRequest): Answer {
  const status = Number(request.query('status') ?? 404);
  const body = status === 204 || status === 205 ? '' : 'data: data\n\n';
  return { status, statusText: 'HAHAHAHA', headers: [EVENT_STREAM], body };
}

function statusReconnect(request: TestRequest): Answer {
  const status = request.query('status') ?? '204';
  const name = `request${request.query('id') ?? status}`;
  if (cookie(request, name) === status) {
    return { headers: [EVENT_STREAM, ['Set-Cookie', `${name}=; Max-Age=0`]], body: 'data: data\n\n' };
  }
  const body = request.query('ok_first') === undefined ? 'retry: 2\n' : 'retry: 2\ndata: ok\n\n';
  return {
    status: Number(status),
    statusText: 'TEST',
    headers: [EVENT_STREAM, ['Set-Cookie', `${name}=${status}`]],
    body,
  };
}

/** Runs another of them, open to every origin. */
async function cors(request: TestRequest): Promise<Answer | undefined> {
  const origin = request.query('origin') ?? request.header('origin') ?? '';
  const run = request.query('run') ?? '';
  const answer =
    run === 'cache-control'
      ? { headers: [EVENT_STREAM], body: `data: ${request.header('cache-control') ?? ''}\n\n` }
      : await EVENT_SOURCE_HANDLERS[`${FOLDER}/${run}.py`]?.(request);
  if (answer === undefined) return undefined;
  const allowed = [
    ['Access-Control-Allow-Origin', origin],
    ['Access-Control-Allow-Credentials', request.query('credentials') ?? 'true'],
  ] as const;
  return { ...answer, headers: [...(answer.headers ?? []), ...allowed] };
}

export const EVENT_SOURCE_HANDLERS: Readonly<Record<string, Handler>> = {
  [`${FOLDER}/cors.py`]: cors,
  [`${FOLDER}/message.py`]: message,
  [`${FOLDER}/message2.py`]: message2,
  [`${FOLDER}/last-event-id.py`]: lastEventId,
  [`${FOLDER}/last-event-id2.py`]: (request) => ({
    headers: [EVENT_STREAM],
    body: LAST_EVENT_IDS[request.query('type') ?? '1'] ?? 'data: invalid_test\n\n',
  }),
  [`${FOLDER}/reconnect-fail.py`]: reconnectFail,
  [`${FOLDER}/status-error.py`]: statusError,
  [`${FOLDER}/status-reconnect.py`]: statusReconnect,
};
