/** Sets attacks off, as their clients. */
import { request } from 'node:http';
import type { TestPlatform } from '../helpers/platform.ts';
import { openSocket } from '../helpers/web-socket.ts';
import type { Attack } from './attack.ts';
import { type Names, toAttackForm } from './upload.ts';

const BURST = 40;
const MESSAGES = 100;
const BODY_BYTES = 4 * 1024 * 1024;
const MAX_TEXT_CHARS = 2_000;
const UNREAD_MS = 1_000;

export interface StrikeAnswer {
  /** 0 when nothing came in time, or the connection broke off before there was a head. */
  readonly status: number;
  readonly text: string;
  /** It came to its end. */
  readonly isWhole: boolean;
}

const NOTHING: StrikeAnswer = { status: 0, text: '', isWhole: false };

/** Resolves when it has been answered, broken off, or given up after `patienceMs`. Never rejects. */
export async function strike(
  platform: TestPlatform,
  attack: Attack,
  names: Names,
  patienceMs: number,
): Promise<StrikeAnswer> {
  const { account, self: worker } = names;
  const script = `/accounts/${account}/workers/scripts/${worker}`;
  const host = `${worker}.${account}.localhost`;
  const options = { host, patienceMs, method: 'GET', reads: true };
  switch (attack.trigger) {
    case 'request':
      return await ask(platform, options);
    case 'no-reader':
      return await ask(platform, { ...options, reads: false, patienceMs: UNREAD_MS });
    case 'body':
      return await ask(platform, { ...options, method: 'POST', body: Buffer.alloc(BODY_BYTES) });
    case 'burst': {
      const answers = await Promise.all(Array.from({ length: BURST }, () => ask(platform, options)));
      return answers.find(({ status }) => status !== 503 && status !== 502) ?? answers[0] ?? NOTHING;
    }
    case 'upload':
      return await control(platform, script, { method: 'PUT', body: toAttackForm(attack, names) });
    case 'scheduled':
      return await control(platform, `${script}/isola/scheduled`, { method: 'POST', body: '{"cron":"* * * * *"}' });
    case 'web-socket':
      return await talk(platform, names, patienceMs);
    default:
      return attack.trigger satisfies never;
  }
}

interface Ask {
  readonly host: string;
  readonly patienceMs: number;
  readonly method: string;
  readonly reads: boolean;
  readonly body?: Uint8Array;
}

function ask(platform: TestPlatform, { host, patienceMs, method, reads, body }: Ask): Promise<StrikeAnswer> {
  const { hostname, port } = new URL(platform.gatewayUrl);
  const headers = { host };
  return new Promise((resolve) => {
    let answer = NOTHING;
    const outgoing = request({ hostname, port, method, path: '/strike', headers, agent: false }, (incoming) => {
      answer = { ...answer, status: incoming.statusCode ?? 0 };
      incoming.on('error', () => {});
      if (!reads) return;
      incoming.setEncoding('utf8');
      incoming.on('data', (chunk: string) => {
        if (answer.text.length < MAX_TEXT_CHARS)
          answer = { ...answer, text: answer.text + chunk.slice(0, MAX_TEXT_CHARS) };
      });
      incoming.on('end', () => (answer = { ...answer, isWhole: true }));
    });
    const timer = setTimeout(() => outgoing.destroy(), patienceMs);
    outgoing.on('error', () => {});
    outgoing.on('close', () => {
      clearTimeout(timer);
      setImmediate(() => resolve(answer));
    });
    outgoing.end(body);
  });
}

async function control(platform: TestPlatform, path: string, init: RequestInit): Promise<StrikeAnswer> {
  try {
    const response = await platform.control(path, init);
    return { status: response.status, text: (await response.text()).slice(0, MAX_TEXT_CHARS), isWhole: true };
  } catch {
    return NOTHING;
  }
}

/** Until it is closed, or as many messages have come back as were sent. */
async function talk(platform: TestPlatform, { account, self }: Names, patienceMs: number): Promise<StrikeAnswer> {
  const headers = { host: `${self}.${account}.localhost` };
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
  try {
    const opened = openSocket(platform, self, '/strike', { headers });
    opened.catch(() => {});
    const socket = await Promise.race([opened, timeout]);
    if (socket === undefined) return NOTHING;
    for (let i = 0; i < MESSAGES; i++) socket.send(`message ${i}`);
    let text = '';
    const read = async (): Promise<void> => {
      for (let i = 0; i < MESSAGES; i++) text = String(await socket.next());
    };
    await Promise.race([read().catch(() => {}), timeout]);
    socket.ws.terminate();
    return { status: 101, text: text.slice(0, MAX_TEXT_CHARS), isWhole: true };
  } catch {
    return NOTHING;
  }
}
