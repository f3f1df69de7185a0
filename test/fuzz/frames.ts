/** Frames as a cell sends them that somebody has taken over: whole, out of place, and damaged. */
import { FRAME } from '../../src/channel/codec.ts';
import { creditFrame, frameOf, messageFrame, requestFrame, responseFrame } from '../../src/channel/testing.ts';
import type { Random } from '../../src/guest/testing/random.ts';
import { hostileBody, hostileText } from './hostile.ts';

const METHODS = ['version', 'service', 'start', 'previews', 'usage', 'ping', 'constructor', '__proto__', ''];
const NOTES = ['records', 'catastrophe', 'ready', 'linkLost', 'fault', 'pages', 'usage', 'toString'];
const NUMBERS = [0, 1, 2, 3, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const STREAMS = 40; // from 0 on: those that the peer opens first are among them
const MAX_DAMAGES = 3;

export interface Peer {
  /** Heads of requests that its other end takes. */
  readonly heads: readonly string[];
  /** Parameters of calls and notifications that mean something to it. */
  readonly params: readonly unknown[];
}

/** Some frames, of which a third is damaged. */
export function hostileFrames(peer: Peer, random: Random): Buffer {
  const bytes = Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => hostileFrame(peer, random)));
  return random.chance(33) ? damage(bytes, random) : bytes;
}

function hostileFrame(peer: Peer, random: Random): Buffer {
  const stream = random.chance(95) ? random.below(STREAMS) : random.pick(NUMBERS);
  const body = Buffer.from(random.chance(70) ? '' : hostileBody(random));
  const kind = random.below(12);
  if (kind < 3) return requestFrame(stream, toLatin1(hostileHead(peer, random)), body, random.chance(50));
  if (kind < 5)
    return responseFrame(stream, hostileStatus(random), toLatin1(hostileHead(peer, random)), body, random.chance(50));
  if (kind === 5) return frameOf(FRAME.data, stream, body);
  if (kind === 6) return frameOf(random.pick([FRAME.end, FRAME.reset, 0, 11, 255]), stream, body.subarray(0, 3));
  if (kind === 7) return creditFrame(stream, random.chance(50) ? random.below(70_000) : random.pick(NUMBERS));
  if (kind === 8) return messageFrame(FRAME.notify, 0, toMessage(random.pick(NOTES), peer, random), body);
  if (kind === 9)
    return messageFrame(random.pick([FRAME.result, FRAME.failure]), stream, toMessage('', peer, random), body);
  return messageFrame(FRAME.call, stream, toMessage(random.pick(METHODS), peer, random), body);
}

function hostileStatus(random: Random): number {
  return random.pick([0, 1, 99, 100, 101, 103, 200, 204, 304, 404, 503, 999, 65_535]);
}

function hostileHead({ heads }: Peer, random: Random): string {
  const fields = random.pick(heads).split('\n');
  for (let changes = random.below(3); changes > 0; changes--) {
    const at = random.below(fields.length + 1);
    fields.splice(at, random.below(2), hostileText(random));
  }
  return fields.join('\n');
}

function toMessage(name: string, { params }: Peer, random: Random): string {
  if (random.chance(10)) return hostileBody(random);
  const value = random.chance(70) ? random.pick(params) : hostileText(random);
  return JSON.stringify(name === '' ? value : [name, value]);
}

function damage(bytes: Buffer, random: Random): Buffer {
  let damaged = bytes;
  for (let left = 1 + random.below(MAX_DAMAGES); left > 0; left--) {
    const at = random.below(damaged.length + 1);
    const rest = damaged.subarray(at);
    if (random.chance(40))
      damaged = Buffer.concat([damaged.subarray(0, at), Buffer.of(random.below(256)), rest.subarray(1)]);
    else if (random.chance(50)) damaged = Buffer.concat([damaged.subarray(0, at), rest.subarray(1 + random.below(9))]);
    else damaged = Buffer.concat([damaged.subarray(0, at), Buffer.of(random.below(256)), rest]);
  }
  return damaged;
}

function toLatin1(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
