/** `isola profile <worker>`: where a Worker's CPU time goes, of its requests in production. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { toAsciiJson } from '../ascii-json.ts';
import { CpuProfileSchema, drawFlameGraph, toFrames, toHottest } from '../profiles/index.ts';
import { CommandError } from './command-error.ts';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { defineCommand, onlyArgument } from './options.ts';
import { printError, printLine, toCell } from './terminal.ts';

const ProfileSchema = z.object({ version: z.string(), profile: CpuProfileSchema });
const HOTTEST = 15;
const FILE_NAME = /^[\w.-]{1,100}$/;

export const profile = defineCommand({
  name: 'profile',
  summary: "Profile a Worker's CPU time while it serves",
  positionals: '<worker>',
  options: {
    seconds: { type: 'integer', value: 'N', default: 10, min: 1, max: 60, help: 'For so long' },
    account: { type: 'string', value: 'ID', default: 'main', help: 'The account that the Worker belongs to' },
    out: { type: 'string', value: 'DIR', default: '.', help: 'Folder for the profile and its flame graph' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola profile shop --seconds 10', does: 'shop.cpuprofile, shop-flame.svg, and the hottest functions' },
  ],
  run: async ({ seconds, account, out, json, ...where }, positionals) => {
    const worker = onlyArgument(profile, positionals);
    if (!json) printError(`Profiling '${toCell(worker)}' for ${seconds} s, of what it is asked meanwhile …`);
    const script = `accounts/${encodeURIComponent(account)}/workers/scripts/${encodeURIComponent(worker)}`;
    const found = await callControl(toControlTarget(where), {
      attempt: `Cannot profile '${toCell(worker)}'`,
      method: 'POST',
      path: `${script}/isola/profile?seconds=${seconds}`,
    });
    const taken = ProfileSchema.parse(found);
    const { root, idleUs } = toFrames(taken.profile);
    const title = `${worker} ${taken.version}: ${toMs(root.totalUs)} of CPU time in ${seconds} s`;
    const files = write(out, worker, {
      profile: JSON.stringify(taken.profile),
      graph: drawFlameGraph(root, title),
    });
    const hottest = toHottest(root, HOTTEST);
    if (json) {
      printLine(toAsciiJson({ ...files, version: taken.version, cpu_us: root.totalUs, idle_us: idleUs, hottest }));
      return 0;
    }
    printRows(hottest, {
      json,
      columns: {
        SELF: ({ selfUs }) => toMs(selfUs),
        SHARE: ({ selfUs }) => `${((selfUs / root.totalUs) * 100).toFixed(1)} %`,
        FUNCTION: ({ name }) => name,
        WHERE: ({ place }) => place,
      },
    });
    if (hottest.length === 0) printLine('Nothing ran: the Worker was not asked for anything.');
    printLine(
      `\n${toCell(title)}\n${toCell(files.graph)}\n${toCell(files.profile)} (Chrome DevTools, VS Code, speedscope)`,
    );
    return 0;
  },
});

function write(
  out: string,
  worker: string,
  { profile: text, graph }: { readonly profile: string; readonly graph: string },
): { profile: string; graph: string } {
  if (!FILE_NAME.test(worker)) throw new CommandError(`Cannot write a profile of the name '${toCell(worker)}'`);
  const dir = resolve(out);
  const files = { profile: join(dir, `${worker}.cpuprofile`), graph: join(dir, `${worker}-flame.svg`) };
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(files.profile, text);
    writeFileSync(files.graph, graph);
  } catch (error) {
    throw new CommandError(`Cannot write to ${dir}: ${(error as Error).message}`, { cause: error });
  }
  return files;
}

function toMs(us: number): string {
  return `${(us / 1e3).toFixed(1)} ms`;
}
