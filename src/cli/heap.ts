/** `isola heap <worker>`: how much memory a Worker's live instances hold on a running server. */
import { z } from 'zod';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { defineCommand, onlyArgument } from './options.ts';

const size = z.number().nullable();
const HeapSchema = z.object({
  cell: z.string(),
  version: z.string(),
  invocations: z.number(),
  held_bytes: z.number(),
  used_heap_bytes: size,
  total_heap_bytes: size,
  heap_limit_bytes: size,
  external_bytes: size,
  malloced_bytes: size,
  executable_bytes: size,
});
const FIRST_ACCOUNT = 'main';
const MIB = 1024 * 1024;

export const heap = defineCommand({
  name: 'heap',
  summary: "Show how much memory a Worker's live instances hold",
  positionals: '<worker>',
  options: {
    account: { type: 'string', value: 'ID', default: FIRST_ACCOUNT, help: 'The account that the Worker belongs to' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola heap shop', does: 'One line for each instance, in MiB' },
    { line: 'isola heap shop --account acme --json', does: 'In bytes, for a program' },
  ],
  run: async ({ account, json, ...where }, positionals) => {
    const worker = onlyArgument(heap, positionals);
    const found = await callControl(toControlTarget(where), {
      attempt: `Cannot look at the memory of '${worker}'`,
      method: 'GET',
      path: `accounts/${encodeURIComponent(account)}/workers/scripts/${encodeURIComponent(worker)}/isola/heap`,
    });
    printRows(z.array(HeapSchema).parse(found), {
      json,
      columns: {
        CELL: ({ cell }) => cell,
        VERSION: ({ version }) => version,
        RUNNING: ({ invocations }) => String(invocations),
        USED: (row) => toMib(row.used_heap_bytes),
        HEAP: (row) => toMib(row.total_heap_bytes),
        CODE: (row) => toMib(row.executable_bytes),
        BUFFERS: (row) => toMib(row.external_bytes),
        WAITING: (row) => toMib(row.held_bytes),
      },
    });
    return 0;
  },
});

function toMib(bytes: number | null): string | undefined {
  return bytes === null ? undefined : (bytes / MIB).toFixed(2);
}
