/** Heap statistics of a Worker's live instances: how much memory each holds, and what it is. */
import { z } from 'zod';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, WorkerParams } from './names.ts';
import type { InstanceHeap } from './platform.ts';
import { workerNotFound } from './releases.ts';

const HeapBody = z.object({
  cell: z.string(),
  version: z.string(),
  invocations: z.int(),
  held_bytes: z.int(),
  used_heap_bytes: z.int().nullable(),
  total_heap_bytes: z.int().nullable(),
  heap_limit_bytes: z.int().nullable(),
  external_bytes: z.int().nullable(),
  malloced_bytes: z.int().nullable(),
  executable_bytes: z.int().nullable(),
});

export const registerHeap: Resource = (app, { registry, platform }) => {
  app.get(
    '/accounts/:account/workers/scripts/:name/isola/heap',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Heap statistics of the live instances; null where one did not stand still for a moment',
        tags: ['Workers'],
        params: WorkerParams,
        response: { 200: Result(z.array(HeapBody)) },
      },
    },
    async ({ params }) => {
      const key = toWorkerKey(params);
      if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
      return ok((await platform.heap(key)).map(toBody));
    },
  );
};

function toBody({ cell, version, invocations, heldBytes, heap }: InstanceHeap): z.output<typeof HeapBody> {
  return {
    cell,
    version,
    invocations,
    held_bytes: heldBytes,
    used_heap_bytes: heap?.usedHeapBytes ?? null,
    total_heap_bytes: heap?.totalHeapBytes ?? null,
    heap_limit_bytes: heap?.heapLimitBytes ?? null,
    external_bytes: heap?.externalBytes ?? null,
    malloced_bytes: heap?.mallocedBytes ?? null,
    executable_bytes: heap?.executableBytes ?? null,
  };
}
