/** `isola secrets …`: the keys that the secrets of all Workers are sealed with, on a running server. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { CommandError } from './command-error.ts';
import { callControl, CONTROL_OPTIONS, type ControlTarget, toControlTarget } from './control-client.ts';
import { type CommandGroup, defineCommand } from './options.ts';
import { startProgress } from './progress.ts';
import { printLine, toCell } from './terminal.ts';
import { toAsciiJson } from '../ascii-json.ts';

const RotationSchema = z.object({
  state: z.enum(['idle', 'running', 'done', 'failed']),
  total: z.number(),
  done: z.number(),
  unreadable: z.array(z.string()),
  started_on: z.string().nullable(),
  ended_on: z.string().nullable(),
});
type RotationState = z.output<typeof RotationSchema>;

const POLL_MS = 250; // 240 requests a minute, a fifth of what a token may send
const MAX_SHOWN = 20; // unreadable versions by name; --json has all

const rotate = defineCommand({
  name: 'secrets rotate',
  summary: 'Seal all secrets with new keys while everything serves',
  positionals: '',
  options: CONTROL_OPTIONS,
  examples: [
    { line: 'isola secrets rotate', does: 'Waits until it is done; the server goes on with it if you interrupt' },
    { line: 'isola secrets rotate --json', does: 'Counts and times, for a program' },
  ],
  run: async ({ json, ...where }) => {
    const ended = await untilEnded(toControlTarget(where));
    const { state, done, unreadable } = ended;
    if (json) printLine(toAsciiJson(ended));
    if (state === 'failed') {
      throw new CommandError('The rotation failed: the server’s log says why. Run it again to go on with the rest');
    }
    if (unreadable.length > 0) {
      const shown = unreadable.slice(0, MAX_SHOWN).map(toCell).join(', ');
      throw new CommandError(
        `The secrets of ${unreadable.length} versions do not open; they are left as they are: ${shown}` +
          (unreadable.length > MAX_SHOWN ? ' …' : ''),
      );
    }
    if (!json) printLine(`The secrets of ${done} version${done === 1 ? '' : 's'} are sealed with new keys`);
    return 0;
  },
});

export const secrets: CommandGroup = {
  name: 'secrets',
  summary: 'Replace the keys that secrets are sealed with',
  commands: [rotate],
};

/** Begins a rotation, or joins the one that is under way, and shows how far it is. */
async function untilEnded(target: ControlTarget): Promise<RotationState> {
  const ask = async (method: 'GET' | 'POST'): Promise<RotationState> => {
    const call = { attempt: 'Cannot rotate the secrets', method, path: 'isola/secrets/rotation' };
    return RotationSchema.parse(await callControl(target, call));
  };
  let found = await ask('POST');
  using progress = startProgress({ label: 'Sealing secrets', total: found.total });
  while (found.state === 'running') {
    progress.update(found.done);
    // oxlint-disable-next-line no-await-in-loop -- one question after another
    await delay(POLL_MS);
    // oxlint-disable-next-line no-await-in-loop
    found = await ask('GET');
  }
  return found; // `idle`: the server was started anew meanwhile, and had nothing left to do
}
